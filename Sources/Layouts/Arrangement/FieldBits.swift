/// Fields of a plane's row: a little-endian bit stream of 1 to 8 bits each, or numbers of 16 or 32 bits.
enum FieldBits {
  @inline(__always)
  static func load(_ row: UnsafePointer<UInt8>, _ index: Int, bits: Int) -> UInt32 {
    if bits == 32 {
      return UInt32(littleEndian: UnsafeRawPointer(row).loadUnaligned(fromByteOffset: index * 4, as: UInt32.self))
    }
    if bits == 16 {
      return UInt32(
        UInt16(littleEndian: UnsafeRawPointer(row).loadUnaligned(fromByteOffset: index * 2, as: UInt16.self)))
    }
    let bit = index * bits
    var window = UInt32(row[bit >> 3]) >> UInt32(bit & 7)
    if bit & 7 + bits > 8 { window |= UInt32(row[bit >> 3 + 1]) << UInt32(8 - bit & 7) }
    return window & ((1 << UInt32(bits)) - 1)
  }

  /// Writes a field into a row that is zero there.
  @inline(__always)
  static func store(_ value: UInt32, _ row: UnsafeMutablePointer<UInt8>, _ index: Int, bits: Int) {
    if bits == 32 {
      UnsafeMutableRawPointer(row).storeBytes(of: value.littleEndian, toByteOffset: index * 4, as: UInt32.self)
    } else if bits == 16 {
      let value = UInt16(truncatingIfNeeded: value).littleEndian
      UnsafeMutableRawPointer(row).storeBytes(of: value, toByteOffset: index * 2, as: UInt16.self)
    } else {
      let bit = index * bits
      row[bit >> 3] |= UInt8(truncatingIfNeeded: value << UInt32(bit & 7))
      if bit & 7 + bits > 8 { row[bit >> 3 + 1] |= UInt8(truncatingIfNeeded: value >> UInt32(8 - bit & 7)) }
    }
  }
}
