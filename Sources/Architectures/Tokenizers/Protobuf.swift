/// Fields of a protocol buffer message, read one after the other (protobuf.dev, "Encoding"). Nested messages are
/// ranges that a reader of their own goes through; nothing is read past a range's end.
struct ProtobufReader {
  enum Value: Equatable {
    case varint(UInt64)
    case fixed32(UInt32)
    case fixed64(UInt64)
    case bytes(Range<Int>)
  }

  let bytes: [UInt8]
  private var position: Int
  private let end: Int

  init(_ bytes: [UInt8], _ range: Range<Int>? = nil) {
    self.bytes = bytes
    position = range?.lowerBound ?? 0
    end = range?.upperBound ?? bytes.count
  }

  /// The next field, or nil at the end.
  mutating func next() throws(ArchitectureError) -> (field: Int, value: Value)? {
    guard position < end else { return nil }
    let tag = try varint()
    guard let field = Int(exactly: tag >> 3), field > 0 else { throw .tokenizer("tokenizer.model has a field 0") }
    switch tag & 7 {
    case 0: return (field, .varint(try varint()))
    case 1: return (field, .fixed64(try fixed(8)))
    case 2:
      guard let length = Int(exactly: try varint()), length <= end - position else { throw Self.truncated }
      defer { position += length }
      return (field, .bytes(position..<position + length))
    case 5: return (field, .fixed32(UInt32(truncatingIfNeeded: try fixed(4))))
    default: throw .tokenizer("tokenizer.model has a field of type \(tag & 7), which protocol buffers no longer use")
    }
  }

  private static let truncated = ArchitectureError.tokenizer("tokenizer.model ends within a field")

  private mutating func varint() throws(ArchitectureError) -> UInt64 {
    var result: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 70, by: 7) {
      guard position < end else { throw Self.truncated }
      let byte = bytes[position]
      position += 1
      result |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return result }
    }
    throw .tokenizer("tokenizer.model has a number of more than 10 bytes")
  }

  private mutating func fixed(_ count: Int) throws(ArchitectureError) -> UInt64 {
    guard end - position >= count else { throw Self.truncated }
    defer { position += count }
    return bytes.littleEndian(at: position, bytes: count)
  }
}

/// Writes fields of a protocol buffer message.
struct ProtobufWriter {
  private(set) var bytes: [UInt8] = []

  mutating func varint(_ field: Int, _ value: UInt64) {
    append(UInt64(field) << 3)
    append(value)
  }

  mutating func float(_ field: Int, _ value: Float) {
    append(UInt64(field) << 3 | 5)
    for shift in [0, 8, 16, 24] { bytes.append(UInt8(truncatingIfNeeded: value.bitPattern >> UInt32(shift))) }
  }

  mutating func bytes(_ field: Int, _ value: some Collection<UInt8>) {
    append(UInt64(field) << 3 | 2)
    append(UInt64(value.count))
    bytes.append(contentsOf: value)
  }

  private mutating func append(_ varint: UInt64) {
    var rest = varint
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: rest))
  }
}
