/// The codes of elements in memory: little-endian, types below a byte packed into a little-endian bit stream (two F4
/// in a byte, the first in its low nibble; four F6 in three bytes).
enum ElementCodes {
  static func load(_ bits: Int, at index: Int, from bytes: UnsafeRawBufferPointer) -> UInt64 {
    switch bits {
    case 8: return UInt64(bytes[index])
    case 16: return UInt64(UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: index * 2, as: UInt16.self)))
    case 32: return UInt64(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: index * 4, as: UInt32.self)))
    case 64: return UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index * 8, as: UInt64.self))
    default:
      let (byte, bit) = (index * bits).quotientAndRemainder(dividingBy: 8)
      let high = bit + bits > 8 ? UInt64(bytes[byte + 1]) << 8 : 0
      return (UInt64(bytes[byte]) | high) &>> UInt64(bit) & ((1 &<< UInt64(bits)) - 1)
    }
  }

  static func store(_ code: UInt64, _ bits: Int, at index: Int, in bytes: UnsafeMutableRawBufferPointer) {
    switch bits {
    case 8: bytes[index] = UInt8(truncatingIfNeeded: code)
    case 16:
      bytes.storeBytes(of: UInt16(truncatingIfNeeded: code).littleEndian, toByteOffset: index * 2, as: UInt16.self)
    case 32:
      bytes.storeBytes(of: UInt32(truncatingIfNeeded: code).littleEndian, toByteOffset: index * 4, as: UInt32.self)
    case 64: bytes.storeBytes(of: code.littleEndian, toByteOffset: index * 8, as: UInt64.self)
    default:
      let (byte, bit) = (index * bits).quotientAndRemainder(dividingBy: 8)
      let mask = ((UInt64(1) &<< UInt64(bits)) - 1) &<< UInt64(bit)
      let shifted = code &<< UInt64(bit)
      bytes[byte] = UInt8(truncatingIfNeeded: UInt64(bytes[byte]) & ~mask | shifted)
      guard bit + bits > 8 else { return }
      bytes[byte + 1] = UInt8(truncatingIfNeeded: UInt64(bytes[byte + 1]) & ~(mask >> 8) | shifted >> 8)
    }
  }
}
