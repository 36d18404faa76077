import ByteIO
import Codecs
import Compression

/// How a plane's chunks are compressed: Huffman coding where the bytes are skewed, nothing where they are noise.
enum PlaneCompression {
  /// A frame for these bytes, or nil where none would pay: the chunk is then stored as it is.
  static func frame(
    _ bytes: UnsafeRawBufferPointer, of codec: any Codec, plane: Int, by pool: CompressorPool
  ) throws -> ByteBuffer? {
    if let lossless = codec as? any LosslessCodec {
      guard lossless.compressiblePlanes.contains(plane) || ByteSkew.isLikely(bytes) else { return nil }
      return try pool.compress(bytes, .huffmanOnly)
    }
    guard ByteSkew.isLikely(bytes) else { return nil }
    let huffman = try pool.compress(bytes, .huffmanOnly)
    // Scales and integers repeat; codes don't, but for those of ggml, which have their scales among them.
    guard codec.planes[plane].role != .codes || codec is PlainCodec || codec is GGMLCodec else { return huffman }
    let matched = try pool.compress(bytes, .level(3))
    return matched.count < huffman.count ? matched : huffman
  }
}
