import ByteIO
import Compression

/// Reads chunks of one file: digest first, then the zstd frame if it is one.
struct ChunkReader {
  private let shard: BaleFile.Shard

  init(_ shard: BaleFile.Shard) { self.shard = shard }

  /// Decoded bytes of a chunk row.
  func read(_ index: Int, isCompressed: Bool, tensor: String?) throws -> [UInt8] {
    let count = Int(shard.directory.chunks[index].decoded)
    return try [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      try read(index, isCompressed: isCompressed, tensor: tensor, into: UnsafeMutableRawBufferPointer(buffer))
      initialized = count
    }
  }

  /// Fills `target` with the decoded bytes of a chunk row, which are as many. What is stored raw is read into it, and
  /// what `target` holds after an error is undefined.
  func read(
    _ index: Int, isCompressed: Bool, tensor: String?, into target: UnsafeMutableRawBufferPointer
  ) throws {
    let row = shard.directory.chunks[index]
    let isFrame = isFrame(row, isCompressed)
    if !isFrame, row.extent == row.stored, target.count == Int(row.stored) {
      try shard.source.read(at: Int(row.offset), into: target)
      return try check(UnsafeRawBufferPointer(target), row, tensor: tensor)
    }
    let extent = ByteBuffer(count: Int(row.extent))
    try extent.withMutableBytes { bytes in
      try shard.source.read(at: Int(row.offset), into: bytes)
      try check(UnsafeRawBufferPointer(bytes), row, tensor: tensor)
      let stored = UnsafeRawBufferPointer(rebasing: bytes[..<Int(row.stored)])
      if isFrame { try decode(stored, row, tensor: tensor, into: target) } else { target.copyMemory(from: stored) }
    }
  }

  /// True if the stored bytes are a zstd frame.
  func isFrame(_ row: ChunkRow, _ isCompressed: Bool) -> Bool { isCompressed && row.stored != row.decoded }

  /// Throws if the bytes of the chunk's extent are not those that were written.
  func check(_ extent: UnsafeRawBufferPointer, _ row: ChunkRow, tensor: String?) throws(BaleError) {
    guard XXH3.digest64(extent) == row.digest else { throw fault(.chunkDamaged(bytes: extent.count), row, tensor) }
  }

  /// The content of a frame, into exactly the bytes that the chunk row gives it.
  func decode(_ frame: UnsafeRawBufferPointer, _ row: ChunkRow, tensor: String?) throws(BaleError) -> [UInt8] {
    do {
      return try Self.decompressors.decompress(frame, exactly: Int(row.decoded))
    } catch {
      throw fault(.chunkFrame("\(error)"), row, tensor)
    }
  }

  private func decode(
    _ frame: UnsafeRawBufferPointer, _ row: ChunkRow, tensor: String?, into target: UnsafeMutableRawBufferPointer
  ) throws(BaleError) {
    do {
      try Self.decompressors.decompress(frame, into: target)
    } catch {
      throw fault(.chunkFrame("\(error)"), row, tensor)
    }
  }

  private static let decompressors = DecompressorPool()

  private func fault(_ reason: BaleReason, _ row: ChunkRow, _ tensor: String?) -> BaleError {
    BaleError(reason, file: shard.source.path, tensor: tensor, offset: Int(row.offset))
  }
}
