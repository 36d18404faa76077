import ByteIO
import Pipeline
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// What became of a block.
public enum BlockState: String, Sendable, Equatable {
  case whole
  /// Other bytes than were protected.
  case changed
  /// All zeros, which it wasn't.
  case zeroed
  /// The file ends before its last byte.
  case missing
}

/// What a scan sees of a block.
struct ScannedBlock: Sendable {
  /// XXH3-128.
  var digest: [UInt8]
  var isZero: Bool
  /// False if the file ends before the block's last byte; it then counts as filled up with zeros.
  var isThere: Bool
}

/// Blocks, read and looked at on several threads. Blocks are read in pieces, so that memory doesn't grow with them.
struct BlockScan {
  let count: Int
  let blockSize: Int
  /// Fills the buffer with bytes of a block, from a byte of it on; false if not all of them are there.
  let read: @Sendable (_ block: Int, _ column: Int, UnsafeMutableRawBufferPointer) throws -> Bool

  private static let piece = 256 << 10
  /// Blocks that a thread takes in a row.
  private static let run = 4

  /// What becomes of each block in `body`, which several threads call. Throws the first error.
  func run<R: Sendable>(threads: Int, _ body: @escaping @Sendable (_ block: Int, ScannedBlock) -> R) throws -> [R] {
    let results = Monitor([R?](repeating: nil, count: count))
    let failure = Monitor<(any Error)?>(nil)
    let next = Atomic(0)
    let scan = self
    Workers.run(max(1, min(threads, count.dividedRoundingUp(by: Self.run)))) { _ in
      let buffer = ByteBuffer(count: min(Self.piece, scan.blockSize))
      let hash = XXH3Stream(bits: 128)
      do {
        while failure.withLock({ $0 == nil }) {
          let first = next.wrappingAdd(Self.run, ordering: .relaxed).oldValue
          guard first < scan.count else { return }
          for block in first..<min(first + Self.run, scan.count) {
            let result = try body(block, scan.look(at: block, buffer, hash))
            results.withLock { $0[block] = result }
          }
        }
      } catch {
        failure.withLock { if $0 == nil { $0 = error } }
      }
    }
    try failure.withLock { if let error = $0 { throw error } }
    return results.withLock { $0.compactMap { $0 } }
  }

  private func look(at block: Int, _ buffer: ByteBuffer, _ hash: XXH3Stream) throws -> ScannedBlock {
    hash.reset()
    var result = ScannedBlock(digest: [], isZero: true, isThere: true)
    for column in stride(from: 0, to: blockSize, by: buffer.count) {
      try buffer.withMutableBytes { bytes in
        let piece = UnsafeMutableRawBufferPointer(rebasing: bytes[..<min(bytes.count, blockSize - column)])
        if try !read(block, column, piece) { result.isThere = false }
        hash.update(UnsafeRawBufferPointer(piece))
        result.isZero = result.isZero && Self.isZero(UnsafeRawBufferPointer(piece))
      }
    }
    result.digest = hash.digest128
    return result
  }

  private static func isZero(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard let start = bytes.baseAddress, bytes.count > 1 else { return bytes.allSatisfy { $0 == 0 } }
    return bytes[0] == 0 && memcmp(start, start + 1, bytes.count - 1) == 0
  }
}
