/// A field of a message.
public struct ProtobufField: Equatable, Sendable {
  public enum Value: Equatable, Sendable {
    /// Wire type 0.
    case varint(UInt64)
    /// Wire type 5, as bits.
    case fixed32(UInt32)
    /// Wire type 1, as bits.
    case fixed64(UInt64)
    /// Wire type 2: where in the source its bytes lie.
    case bytes(Range<Int>)
  }

  public var number: Int
  public var value: Value

  @inlinable public init(number: Int, value: Value) {
    self.number = number
    self.value = value
  }
}

/// Walks the fields of a protocol-buffer message one after the other (protobuf.dev, "Encoding"); what a field holds can
/// be skipped unread. A message in a message is walked by a reader of its own, as deep as the caller goes and no deeper;
/// nothing is read past a message's end.
public struct ProtobufReader<Source: ProtobufSource> {
  public var source: Source
  /// Where in the source the next byte lies.
  public private(set) var position: Int
  @usableFromInline let end: Int

  /// The whole source as a message.
  public init(_ source: Source) {
    self.source = source
    position = 0
    end = source.count
  }

  private init(_ source: Source, _ range: Range<Int>) {
    self.source = source
    position = range.lowerBound
    end = range.upperBound
  }

  /// A reader of the message that a field's bytes are.
  public func message(_ range: Range<Int>) -> ProtobufReader { ProtobufReader(source, range) }

  @inlinable public var isAtEnd: Bool { position >= end }

  /// The next field; nil at the end of the message.
  @inlinable public mutating func next() throws(Source.Failure) -> ProtobufField? {
    guard !isAtEnd else { return nil }
    let tag = try varint()
    guard let number = Int(exactly: tag >> 3), number > 0, tag >> 3 <= source.largestField else {
      throw fault(.fieldNumber(tag: tag))
    }
    switch tag & 7 {
    case 0: return ProtobufField(number: number, value: .varint(try varint()))
    case 1: return ProtobufField(number: number, value: .fixed64(try fixed()))
    case 2: return ProtobufField(number: number, value: .bytes(try range()))
    case 5: return ProtobufField(number: number, value: .fixed32(try fixed()))
    default: throw fault(.wireType(tag: tag))
    }
  }

  /// The next number: seven bits a byte, the lowest first.
  @inlinable public mutating func varint() throws(Source.Failure) -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 70, by: 7) {
      let byte = try byte()
      value |= UInt64(byte & 0x7F) << shift
      if byte & 0x80 == 0 { return value }
    }
    throw fault(.longNumber)
  }

  @inlinable mutating func fixed<Bits: FixedWidthInteger>() throws(Source.Failure) -> Bits {
    var value: Bits = 0
    for shift in stride(from: 0, to: Bits.bitWidth, by: 8) { value |= Bits(try byte()) << Bits(shift) }
    return value
  }

  /// The bytes of a field, passed over.
  @inlinable mutating func range() throws(Source.Failure) -> Range<Int> {
    guard let count = Int(exactly: try varint()), count <= end - position else { throw fault(.truncated) }
    let start = position
    advance(count)
    return start..<position
  }

  @inlinable mutating func byte() throws(Source.Failure) -> UInt8 {
    guard !isAtEnd else { throw fault(.truncated) }
    let byte = try source.byte(at: position)
    advance(1)
    return byte
  }

  @usableFromInline mutating func advance(_ count: Int) { position += count }

  @inlinable func fault(_ reason: ProtobufReason) -> Source.Failure { source.fault(reason, at: position) }
}
