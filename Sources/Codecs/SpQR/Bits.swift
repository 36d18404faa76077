/// Runs of small unsigned numbers, each of the same width, packed from the least significant bit of the first byte.
enum Bits {
  /// Number `index` of the run that starts at `byte`; `width` is at most 8.
  @inline(__always)
  static func read(_ bytes: UnsafeRawBufferPointer, byte: Int, index: Int, width: Int) -> UInt8 {
    let bit = index * width
    let low = byte + bit >> 3
    let shift = bit & 7
    var word = UInt16(bytes[low])
    if shift + width > 8 { word |= UInt16(bytes[low + 1]) << 8 }
    return UInt8(truncatingIfNeeded: word >> UInt16(shift)) & UInt8(truncatingIfNeeded: (1 << width) - 1)
  }

  /// Ors `value`, below `2^width`, into number `index` of a run of zeros that starts at `byte`.
  @inline(__always)
  static func write(_ value: UInt8, _ bytes: inout [UInt8], byte: Int, index: Int, width: Int) {
    let bit = index * width
    let low = byte + bit >> 3
    let word = UInt16(value) << UInt16(bit & 7)
    bytes[low] |= UInt8(truncatingIfNeeded: word)
    if bit & 7 + width > 8 { bytes[low + 1] |= UInt8(word >> 8) }
  }
}
