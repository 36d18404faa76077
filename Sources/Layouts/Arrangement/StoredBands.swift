import ByteIO
import Pipeline

/// Bands of columns of stored tensors, kept in memory: where a layout stores by columns what is read by rows, the runs
/// of one span are short and many, and those of the next lie right behind them. At most 64 MiB.
final class StoredBands: Sendable {
  private struct Band {
    var member: Int
    /// Where its runs begin; `count` and `stride` are the tensor's.
    var runs: ByteRuns
    var bytes: ByteBuffer

    func holds(_ member: Int, _ wanted: ByteRuns) -> Bool {
      self.member == member && runs.stride == wanted.stride && runs.count == wanted.count
        && runs.offset <= wanted.offset && wanted.offset + wanted.bytes <= runs.offset + runs.bytes
    }
  }

  /// Bytes of a band, and how many are kept.
  private static let (capacity, limit) = (8 << 20, 8)
  /// Runs from which on a system call each is worth it.
  private static let longRun = 4096

  private let bands = Monitor([Band]())

  /// Fills `buffer` from a band, which is read if there is none; false where bands are of no use.
  func read(
    _ runs: ByteRuns, of member: Int, in stored: StoredBytes, into buffer: UnsafeMutableRawBufferPointer
  ) throws -> Bool {
    guard runs.count > 1, runs.bytes < Self.longRun, runs.bytes * runs.count <= Self.capacity else { return false }
    let band = try bands.withLock { bands in
      if let found = bands.first(where: { $0.holds(member, runs) }) { return found }
      let made = try Self.band(runs, of: member, in: stored)
      if bands.count == Self.limit { bands.removeFirst() }
      bands.append(made)
      return made
    }
    let skipped = runs.offset - band.runs.offset
    band.bytes.withBytes { bytes in
      for index in 0..<runs.count {
        let from = index * band.runs.bytes + skipped
        UnsafeMutableRawBufferPointer(rebasing: buffer[(index * runs.bytes)...])
          .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[from..<from + runs.bytes]))
      }
    }
    return true
  }

  /// As many columns from the first wanted one on as fit.
  private static func band(_ runs: ByteRuns, of member: Int, in stored: StoredBytes) throws -> Band {
    var wide = runs
    wide.bytes = min(max(runs.bytes, capacity / runs.count), runs.stride - runs.offset % runs.stride)
    let bytes = ByteBuffer(count: wide.bytes * wide.count)
    try bytes.withMutableBytes { try stored.read(wide, into: $0) }
    return Band(member: member, runs: wide, bytes: bytes)
  }
}

/// The bytes of a stored tensor, short runs of which come from bands.
struct BandedBytes: ByteRanges {
  let bytes: StoredBytes
  let member: Int
  let bands: StoredBands

  var count: Int { bytes.count }

  func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws {
    try bytes.read(at: offset, into: buffer)
  }

  func read(_ runs: ByteRuns, into buffer: UnsafeMutableRawBufferPointer) throws {
    if try bands.read(runs, of: member, in: bytes, into: buffer) { return }
    try bytes.read(runs, into: buffer)
  }
}
