import ByteIO

/// zstd frames that don't depend on libzstd's version, so that files made by rule have the same bytes everywhere
/// (RFC 8878): an RLE block for bytes that are all equal, else a raw block, which saves nothing.
enum ConstantFrame {
  /// A frame of up to 65,791 bytes.
  static func make(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
    var frame: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD]
    if bytes.count < 256 {
      // Single segment, content size in one byte.
      frame += [0x20, UInt8(bytes.count)]
    } else {
      // Single segment, content size less 256 in two.
      frame.append(0x60)
      frame.append(littleEndian: UInt16(bytes.count - 256))
    }
    let isConstant = bytes.allSatisfy { $0 == bytes.first }
    let header = UInt32(bytes.count) << 3 | (isConstant ? 0b011 : 0b001)
    frame += [UInt8(header & 255), UInt8(header >> 8 & 255), UInt8(header >> 16)]
    return frame + (isConstant ? bytes.prefix(1) : bytes[...])
  }
}
