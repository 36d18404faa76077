import ByteIO

/// A field of a message.
struct ProtobufField {
  enum Value {
    /// Wire type 0.
    case varint(UInt64)
    /// Wire types 1 and 5, as bits.
    case fixed(UInt64)
    /// Wire type 2: where in the file its bytes lie.
    case bytes(Range<Int>)
  }

  var number: Int
  var value: Value
}

/// Walks the fields of a message in a file (protobuf.dev, "Encoding"), reading no more of it than a window; what a
/// field holds can be skipped unread. A message in a message is walked by a reader of its own, as deep as the caller
/// goes and no deeper.
struct ProtobufReader {
  let file: InputFile
  private(set) var position: Int
  private let end: Int
  private var window: [UInt8] = []
  private var windowStart = 0

  private static let windowBytes = 1 << 16

  /// The whole file as a message.
  init(_ file: InputFile) {
    self.file = file
    position = 0
    end = file.size
  }

  private init(_ parent: ProtobufReader, _ range: Range<Int>) {
    file = parent.file
    position = range.lowerBound
    end = range.upperBound
    (window, windowStart) = (parent.window, parent.windowStart)
  }

  /// A reader of the message that a field's bytes are.
  func message(_ range: Range<Int>) -> ProtobufReader { ProtobufReader(self, range) }

  func fault(_ reason: ONNXReason, _ tensor: String? = nil) -> ONNXError {
    Fault(reason, file: file.path, tensor: tensor, offset: position)
  }

  /// The next field; nil at the end of the message. Throws `ONNXError` or `IOError`.
  mutating func next() throws -> ProtobufField? {
    guard position < end else { return nil }
    let tag = try varint()
    guard let number = Int(exactly: tag >> 3), (1..<1 << 29).contains(number) else { throw fault(.field(tag: tag)) }
    switch tag & 7 {
    case 0: return ProtobufField(number: number, value: .varint(try varint()))
    case 1: return ProtobufField(number: number, value: .fixed(try fixed(8)))
    case 2: return ProtobufField(number: number, value: .bytes(try range()))
    case 5: return ProtobufField(number: number, value: .fixed(try fixed(4)))
    default: throw fault(.field(tag: tag))
    }
  }

  var isAtEnd: Bool { position >= end }

  /// Seven bits a byte, the lowest first.
  mutating func varint() throws -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: 0, to: 70, by: 7) {
      let byte = try byte()
      value |= UInt64(byte & 0x7F) << UInt64(shift)
      if byte & 0x80 == 0 { return value }
    }
    throw fault(.truncated)
  }

  private mutating func fixed(_ count: Int) throws -> UInt64 {
    var value: UInt64 = 0
    for index in 0..<count { value |= UInt64(try byte()) << UInt64(8 * index) }
    return value
  }

  /// The bytes of a field, passed over.
  private mutating func range() throws -> Range<Int> {
    guard let count = Int(exactly: try varint()), count <= end - position else { throw fault(.truncated) }
    defer { position += count }
    return position..<position + count
  }

  private mutating func byte() throws -> UInt8 {
    guard position < end else { throw fault(.truncated) }
    if position < windowStart || position - windowStart >= window.count {
      window = try file.bytes(position..<min(position + Self.windowBytes, file.size))
      windowStart = position
    }
    defer { position += 1 }
    return window[position - windowStart]
  }

  /// Text of at most `ONNXLimits.text` bytes; what isn't UTF-8 is mended.
  mutating func text(_ range: Range<Int>) throws -> String {
    guard range.count <= ONNXLimits.text else { throw fault(.limit("bytes of a name", ONNXLimits.text)) }
    let offset = range.lowerBound - windowStart
    if offset >= 0, offset <= window.count - range.count {
      return String(decoding: window[offset..<offset + range.count], as: UTF8.self)
    }
    return String(decoding: try file.bytes(range), as: UTF8.self)
  }
}

/// What a reader allocates for at most, whatever a file says.
enum ONNXLimits {
  /// Bytes of a name or a path.
  static let text = 1 << 16
  static let nodes = 1 << 20
  static let tensors = 1 << 20
  static let dimensions = 32
  /// Bytes of a tensor that is read as a whole: scales, zero points, what is stored number by number.
  static let numbers = 1 << 26
}
