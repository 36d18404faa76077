import Pipeline
import Testing

@testable import Compression

@Suite struct ContextPoolTests {
  /// A pool of numbers, each larger by one than the one made before.
  private static func numbers() -> ContextPool<Int> {
    let made = Lock(0)
    return ContextPool<Int> {
      made.withLock {
        $0 += 1
        return $0
      }
    }
  }

  @Test func aContextIsUsedAgain() throws {
    let pool = Self.numbers()
    #expect(try pool.lend { $0 } == 1)
    #expect(try pool.lend { $0 } == 1)
  }

  @Test func aContextHasOneUser() throws {
    let pool = Self.numbers()
    let both = try pool.lend { (first) throws(CompressionError) in
      [first, try pool.lend { $0 }]
    }
    #expect(both == [1, 2])
  }

  @Test func aFailureGivesTheContextBack() throws {
    let pool = Self.numbers()
    #expect(throws: CompressionError.self) {
      try pool.lend { (_) throws(CompressionError) -> Int in throw .context }
    }
    #expect(try pool.lend { $0 } == 1)
  }

  @Test func noContextIsAnError() {
    let pool = ContextPool<Int> { () throws(CompressionError) in throw .context }
    #expect(throws: CompressionError.self) { try pool.lend { $0 } }
  }
}
