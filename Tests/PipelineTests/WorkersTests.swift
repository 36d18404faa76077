import Pipeline
import Testing

@Suite struct WorkersTests {
  /// Every number once, whether there are more threads than work or fewer, or no work.
  @Test(arguments: [(0, 3), (1, 4), (7, 2), (100, 3), (5, 0)])
  func spreadDoesEveryPieceOnce(count: Int, threads: Int) {
    let done = Monitor([Int](repeating: 0, count: count))
    Workers.spread(count, threads: threads) { index in done.withLock { $0[index] += 1 } }
    #expect(done.withLock { $0 } == [Int](repeating: 1, count: count))
  }
}
