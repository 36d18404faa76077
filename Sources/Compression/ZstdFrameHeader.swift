/// The header of a zstd frame: RFC 8878, section 3.1.1.1.
struct ZstdFrameHeader: Equatable {
  /// Largest distance back that the content refers to, in bytes.
  let window: UInt64
  /// Size of the content in bytes, where the header has it.
  let contentSize: UInt64?

  /// Reads the header at the start of `bytes`. Throws `CompressionError` on another magic number, a reserved bit, a
  /// dictionary, or too few bytes.
  init(parsing bytes: UnsafeRawBufferPointer) throws(CompressionError) {
    var fields = Fields(bytes: bytes)
    guard bytes.count >= 4, try fields.next(4) == 0xFD2F_B528 else { throw .notAFrame }
    let descriptor = try fields.next(1)
    let singleSegment = descriptor & 0x20 != 0
    guard descriptor & 0x08 == 0 else { throw .reservedBit }
    let windowDescriptor = singleSegment ? nil : try fields.next(1)
    guard try fields.next([0, 1, 2, 4][Int(descriptor & 3)]) == 0 else { throw .dictionary }
    contentSize = try Self.contentSize(flag: descriptor >> 6, singleSegment, &fields)
    window = windowDescriptor.map(Self.window) ?? contentSize ?? 0
  }

  private static func contentSize(
    flag: UInt64, _ singleSegment: Bool, _ fields: inout Fields
  ) throws(CompressionError) -> UInt64? {
    switch flag {
    case 0: singleSegment ? try fields.next(1) : nil
    case 1: try fields.next(2) + 256
    case 2: try fields.next(4)
    default: try fields.next(8)
    }
  }

  private static func window(descriptor: UInt64) -> UInt64 {
    let base = UInt64(1) << (10 + descriptor >> 3)
    return base + base / 8 * (descriptor & 7)
  }

  private struct Fields {
    let bytes: UnsafeRawBufferPointer
    var position = 0

    /// The next little-endian integer of `size` bytes; 0 for none.
    mutating func next(_ size: Int) throws(CompressionError) -> UInt64 {
      guard bytes.count - position >= size else { throw .truncated }
      defer { position += size }
      return bytes[position..<position + size].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
  }
}
