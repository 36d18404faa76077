/// Writes the fields of a protocol-buffer message (protobuf.dev, "Encoding").
public struct ProtobufWriter {
  public private(set) var bytes: [UInt8] = []

  public init() {}

  /// A number; a negative one as the bits of its 64.
  public mutating func varint(_ field: Int, _ value: UInt64) {
    append(UInt64(field) << 3)
    append(value)
  }

  public mutating func float(_ field: Int, _ value: Float) {
    append(UInt64(field) << 3 | 5)
    for shift in [0, 8, 16, 24] { bytes.append(UInt8(truncatingIfNeeded: value.bitPattern >> UInt32(shift))) }
  }

  /// Bytes, a text or a message.
  public mutating func bytes(_ field: Int, _ value: some Collection<UInt8>) {
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
