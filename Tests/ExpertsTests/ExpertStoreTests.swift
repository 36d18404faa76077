import Experts
import Pipeline
import Testing

@Suite struct ExpertStoreTests {
  struct Broken: Error {}

  /// Experts of ten bytes that count how often each was read.
  final class Disk: Sendable {
    let reads = Lock<[ExpertID: Int]>([:])
    func load(_ id: ExpertID) throws -> (expert: Int, bytes: Int) {
      reads.withLock { $0[id, default: 0] += 1 }
      if id.expert == 13 { throw Broken() }
      return (id.layer * 100 + id.expert, 10)
    }
  }

  static func id(_ expert: Int) -> ExpertID { ExpertID(layer: 1, expert: expert) }

  @Test func keepsTheMostRecentlyUsed() throws {
    let disk = Disk()
    let store = ExpertStore(capacity: 30, threads: 0) { try disk.load($0) }
    for expert in [0, 1, 2, 0, 3, 0, 1] { #expect(try store.expert(Self.id(expert)) == 100 + expert) }
    // 3 drops 1, the least recent; 1 drops 2.
    #expect(
      store.statistics
        == ExpertStoreStatistics(hits: 2, misses: 5, reads: 5, bytesRead: 50, evictions: 2))
    #expect(disk.reads.withLock { $0[Self.id(0)] } == 1)
  }

  @Test func prefetchedExpertsAreReadOnce() throws {
    let disk = Disk()
    let store = ExpertStore(capacity: 1000, threads: 3) { try disk.load($0) }
    store.prefetch((0..<10).map(Self.id))
    for _ in 0..<3 { for expert in 0..<10 { #expect(try store.expert(Self.id(expert)) == 100 + expert) } }
    #expect(store.statistics.reads == 10)
    #expect(store.statistics.hits + store.statistics.misses == 30)
    #expect(disk.reads.withLock { $0.values.allSatisfy { $0 == 1 } })
  }

  @Test func errorsReachWhoAsksAndNobodyElse() throws {
    let disk = Disk()
    let store = ExpertStore(capacity: 100, threads: 2) { try disk.load($0) }
    store.prefetch([Self.id(13), Self.id(1)])
    #expect(try store.expert(Self.id(1)) == 101)
    #expect(throws: Broken.self) { try store.expert(Self.id(13)) }
    #expect(throws: Broken.self) { try store.expert(Self.id(13)) }
  }

  @Test func manyThreadsAgree() async throws {
    let disk = Disk()
    let store = ExpertStore(capacity: 40, threads: 2) { try disk.load($0) }
    try await withThrowingTaskGroup(of: Bool.self) { group in
      for worker in 0..<4 {
        group.addTask {
          try (0..<200).allSatisfy { step in
            let expert = (step * 7 + worker) % 9
            if step % 5 == 0 { store.prefetch([Self.id((expert + 1) % 9)]) }
            return try store.expert(Self.id(expert)) == 100 + expert
          }
        }
      }
      for try await agreed in group { #expect(agreed) }
    }
    #expect(store.statistics.hits + store.statistics.misses == 800)
  }

  @Test func anExpertLargerThanTheCapacityIsServed() throws {
    let disk = Disk()
    let store = ExpertStore(capacity: 5, threads: 0) { try disk.load($0) }
    #expect(try store.expert(Self.id(1)) == 101)
    #expect(try store.expert(Self.id(1)) == 101)
    #expect(try store.expert(Self.id(2)) == 102)
    #expect(store.statistics.evictions == 1)
  }
}
