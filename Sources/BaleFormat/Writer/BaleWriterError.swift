import Codecs

/// A call to the writer that it can't follow: a mistake of the program, or a model beyond the format's limits.
public enum BaleWriterError: Error, Equatable, CustomStringConvertible {
  /// A span of the encoding takes more than a chunk may hold.
  case chunkTooLarge(bytes: Int)
  /// Spans that don't start where the codec can.
  case spanAlignment(span: Int, alignment: Int)
  /// A record's size overflows.
  case recordTooLarge
  /// More rows, or bytes of text, than the directory can index.
  case directoryTooLarge
  /// Two tensors of one name.
  case duplicateTensor(String)
  /// Two original files of one name.
  case duplicateFile(String)
  /// The name of an original file that would leave the directory it is unpacked to.
  case fileName(String)
  /// The segments of an original file don't add up to its size.
  case fileSize(String, segments: Int, size: Int)
  /// A tensor whose parts don't cover its first dimension exactly once.
  case parts(String)
  /// A layout whose element count is not that of the part it is used for.
  case layout(String)
  /// A chunk index that the plane doesn't have.
  case chunkIndex(plane: PlaneRole, index: Int)
  /// A chunk of another length than the layout gives it.
  case chunkLength(plane: PlaneRole, index: Int, expected: Int, found: Int)
  /// A chunk that was given twice.
  case chunkRepeated(plane: PlaneRole, index: Int)
  /// A record ended before all its chunks came.
  case recordIncomplete
  /// A call out of order: a record inside a record, a chunk outside one.
  case order(String)
  /// A compressed plane, and nothing to compress it with.
  case needsCompressor
  /// A chunk without the SHA-256 that the writer was opened for.
  case needsSHA256
  /// An error statistic that is negative, infinite or NaN.
  case errorStatistic(String)
  /// More shards than names can count.
  case tooManyShards

  public var description: String {
    switch self {
    case .chunkTooLarge(let bytes):
      "a span takes \(bytes) bytes, more than the \(BaleConstants.maximumChunk) of a chunk"
    case .spanAlignment(let span, let alignment): "spans of \(span) elements, where \(alignment) fit the encoding"
    case .recordTooLarge: "the size of a record overflows"
    case .directoryTooLarge: "the directory would need more than 2^32 rows or bytes of text"
    case .duplicateTensor(let name): "two tensors have the name '\(name)'"
    case .duplicateFile(let name): "two original files have the name '\(name)'"
    case .fileName(let name): "the original file name '\(name)' leaves its directory"
    case .fileSize(let name, let segments, let size):
      "the segments of the original file '\(name)' hold \(segments) bytes, the file \(size)"
    case .parts(let name): "the parts of tensor '\(name)' don't cover it exactly once"
    case .layout(let name): "a part of tensor '\(name)' has another element count than its layout"
    case .chunkIndex(let plane, let index): "the \(plane) plane has no chunk \(index)"
    case .chunkLength(let plane, let index, let expected, let found):
      "chunk \(index) of the \(plane) plane should have \(expected) bytes and has \(found)"
    case .chunkRepeated(let plane, let index): "chunk \(index) of the \(plane) plane was given twice"
    case .recordIncomplete: "a record ended before all its chunks were there"
    case .order(let call): "\(call) was called out of order"
    case .needsCompressor: "a compressed plane needs a compressor"
    case .needsSHA256: "the file carries SHA-256 digests, and a chunk has none"
    case .errorStatistic(let name): "an error statistic of tensor '\(name)' is not a number that can be stored"
    case .tooManyShards: "the set would have more than \(BaleConstants.maximumShards) shards"
    }
  }
}
