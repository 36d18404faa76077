import ByteIO
import Compression

/// Reads chunks of one file: digest first, then the zstd frame if it is one.
struct ChunkReader {
  private let shard: BaleFile.Shard

  init(_ shard: BaleFile.Shard) { self.shard = shard }

  /// Decoded bytes of a chunk row.
  func read(_ index: Int, isCompressed: Bool, tensor: String?) throws -> [UInt8] {
    let row = shard.directory.chunks[index]
    var bytes = try shard.source.bytes(at: Int(row.offset), count: Int(row.extent))
    try bytes.withUnsafeBytes { try check($0, row, tensor: tensor) }
    bytes.removeLast(bytes.count - Int(row.stored))
    return isFrame(row, isCompressed) ? try bytes.withUnsafeBytes { try decode($0, row, tensor: tensor) } : bytes
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
      return try ZstdDecompressor().decompress(frame, exactly: Int(row.decoded))
    } catch {
      throw fault(.chunkFrame("\(error)"), row, tensor)
    }
  }

  private func fault(_ reason: BaleReason, _ row: ChunkRow, _ tensor: String?) -> BaleError {
    BaleError(reason, file: shard.source.path, tensor: tensor, offset: Int(row.offset))
  }
}
