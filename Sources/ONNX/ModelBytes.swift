import ByteIO
import Protobuf

/// A model's file, read by windows.
struct ModelBytes: ProtobufSource {
  let file: InputFile
  private var window: [UInt8] = []
  private var windowStart = 0

  private static let windowBytes = 1 << 16

  init(_ file: InputFile) { self.file = file }

  var count: Int { file.size }
  var largestField: UInt64 { 1 << 29 - 1 }

  /// Throws `IOError` or `SourceChanged`.
  mutating func byte(at position: Int) throws(any Error) -> UInt8 {
    if position < windowStart || position - windowStart >= window.count {
      window = try file.bytes(position..<min(position + Self.windowBytes, file.size))
      windowStart = position
    }
    return window[position - windowStart]
  }

  func fault(_ reason: ProtobufReason, at position: Int) -> any Error {
    let said: ONNXReason =
      switch reason {
      case .truncated, .longNumber: .truncated
      case .fieldNumber(let tag), .wireType(let tag): .field(tag: tag)
      }
    return fault(said, at: position)
  }

  func fault(_ reason: ONNXReason, _ tensor: String? = nil, at position: Int) -> ONNXError {
    Fault(reason, file: file.path, tensor: tensor, offset: position)
  }

  /// Bytes that need not lie in the window.
  func bytes(_ range: Range<Int>) throws -> [UInt8] {
    let offset = range.lowerBound - windowStart
    guard offset >= 0, offset <= window.count - range.count else { return try file.bytes(range) }
    return Array(window[offset..<offset + range.count])
  }
}

/// Walks a message of a model, which throws `ONNXError` or what reading the file throws.
typealias ModelReader = ProtobufReader<ModelBytes>

extension ModelReader {
  init(_ file: InputFile) { self.init(ModelBytes(file)) }

  func fault(_ reason: ONNXReason, _ tensor: String? = nil) -> ONNXError {
    source.fault(reason, tensor, at: position)
  }

  /// Text of at most `ONNXLimits.text` bytes; what isn't UTF-8 is mended.
  func text(_ range: Range<Int>) throws -> String {
    guard range.count <= ONNXLimits.text else { throw fault(.limit("bytes of a name", ONNXLimits.text)) }
    return String(decoding: try source.bytes(range), as: UTF8.self)
  }
}
