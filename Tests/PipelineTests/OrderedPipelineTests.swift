import Pipeline
import Testing

@Suite struct OrderedPipelineTests {
  @Test(arguments: [1, 2, 3, 16], [1, 2, 7, 100])
  func consumesEveryItemInOrder(threads: Int, window: Int) throws {
    let consumed = Lock<[Int]>([])
    try OrderedPipeline.run(count: 100, threads: threads, window: window) { index in
      index * index
    } consume: { index, product in
      #expect(product == index * index)
      consumed.withLock { $0.append(index) }
    }
    #expect(consumed.withLock { $0 } == Array(0..<100))
  }

  @Test func neverHoldsMoreThanTheWindow() throws {
    let produced = Lock(0)
    let consumedCount = Lock(0)
    try OrderedPipeline.run(count: 200, threads: 4, window: 5) { index in
      let ahead = consumedCount.withLock { consumed in index - consumed }
      #expect(ahead <= 5)
      return produced.withLock { count in
        count += 1
        return count
      }
    } consume: { _, _ in
      consumedCount.withLock { $0 += 1 }
    }
    #expect(produced.withLock { $0 } == 200)
  }

  struct Failure: Error, Equatable { var index: Int }

  @Test(arguments: [1, 2, 8]) func throwsTheErrorOfAProducerAndStops(threads: Int) {
    let consumed = Lock<[Int]>([])
    #expect(throws: Failure(index: 7)) {
      try OrderedPipeline.run(count: 1000, threads: threads, window: 4) { index in
        if index == 7 { throw Failure(index: 7) }
        return index
      } consume: { index, _ in
        consumed.withLock { $0.append(index) }
      }
    }
    #expect(consumed.withLock { $0.count } <= 7)
  }

  @Test func throwsTheErrorOfTheConsumer() {
    #expect(throws: Failure(index: 3)) {
      try OrderedPipeline.run(count: 10, threads: 2, window: 4) {
        $0
      } consume: { index, _ in
        if index == 3 { throw Failure(index: 3) }
      }
    }
  }

  @Test func doesNothingForNoItems() throws {
    try OrderedPipeline.run(count: 0, threads: 2, window: 4) {
      $0
    } consume: { _, _ in
      Issue.record("nothing to consume")
    }
  }
}
