/// Why a zstd frame was refused, or could not be made. Sizes are in bytes. specs/codecs/lossless.md has the table.
public enum CompressionError: Error, Equatable, CustomStringConvertible {
  /// libzstd could not allocate a context.
  case context
  /// The bytes don't start with the magic number of a zstd frame; a skippable frame doesn't either.
  case notAFrame
  /// The frame ends before its content does.
  case truncated
  /// Bytes follow the frame.
  case trailing(frame: Int, found: Int)
  /// The header has a bit set that the format reserves.
  case reservedBit
  /// The frame needs a dictionary; none is ever used.
  case dictionary
  /// The frame's window is larger than `ZstdDecompressor.maximumWindow`.
  case window(UInt64)
  /// The header declares another content size than the caller knows it to have.
  case contentSize(expected: Int, declared: UInt64)
  /// The content has another size than the caller knows it to have.
  case decodedSize(expected: Int, found: Int)
  /// libzstd's reason to refuse the frame's blocks.
  case damaged(String)
  /// libzstd's reason not to compress.
  case failed(String)

  public var description: String {
    switch self {
    case .context: "no memory for a zstd context"
    case .notAFrame: "not a zstd frame"
    case .truncated: "the zstd frame is cut short"
    case .trailing(let frame, let found): "the zstd frame ends after \(frame) of \(found) bytes"
    case .reservedBit: "the zstd frame header has a reserved bit set"
    case .dictionary: "the zstd frame needs a dictionary"
    case .window(let size): "the zstd frame has a window of \(size) bytes"
    case .contentSize(let expected, let declared): "the zstd frame declares \(declared) bytes, not \(expected)"
    case .decodedSize(let expected, let found): "the zstd frame holds \(found) bytes, not \(expected)"
    case .damaged(let reason): "the zstd frame is damaged: \(reason)"
    case .failed(let reason): "zstd could not compress: \(reason)"
    }
  }
}
