/// The types of 256 elements whose sub-blocks have small integer scales under one or two F16: Q2_K to Q6_K
/// (specs/codecs/ggml.md, section 4).
enum KQuants {
  static let elements = 256

  /// Sub-blocks of 16: d * scale * code - dmin * minimum.
  static func decodeQ2_K(_ block: UnsafeRawBufferPointer, _ values: BlockValues) {
    let (scale, minimum) = (block.half(80), block.half(82))
    for index in 0..<elements {
      let (low, high) = (block.nibble(index / 16, 0), block.nibble(index / 16, 1))
      let code = block.pair(16 + byteOfPair(index), pairInByte(index))
      values[index] = scale * Float(low) * Float(code) - minimum * Float(high)
    }
  }

  /// Sub-blocks of 16: d * (scale - 32) * (code - 4).
  static func decodeQ3_K(_ block: UnsafeRawBufferPointer, _ values: BlockValues) {
    let scale = block.half(108)
    for index in 0..<elements {
      let high = Int(block[index % 32] >> UInt8(index / 32)) & 1
      let code = block.pair(32 + byteOfPair(index), pairInByte(index)) | high << 2
      values[index] = scale * Float(scaleQ3_K(block, index / 16) - 32) * Float(code - 4)
    }
  }

  /// One of the sixteen 6-bit scales of Q3_K in its twelve bytes from 96 on.
  static func scaleQ3_K(_ block: UnsafeRawBufferPointer, _ part: Int) -> Int {
    block.nibble(96 + part % 8, part / 8) | block.pair(104 + part % 4, part / 4) << 4
  }

  /// Sub-blocks of 32: d * scale * code - dmin * minimum.
  static func decodeQ4_K(_ block: UnsafeRawBufferPointer, _ values: BlockValues) {
    decodeWithMinimum(block, values) { index in block.nibble(16 + byteOfNibble(index), index / 32 % 2) }
  }

  /// As Q4_K with a fifth bit: bit b of byte l of `qh` belongs to element 32 b + l.
  static func decodeQ5_K(_ block: UnsafeRawBufferPointer, _ values: BlockValues) {
    decodeWithMinimum(block, values) { index in
      block.nibble(48 + byteOfNibble(index), index / 32 % 2) | (Int(block[16 + index % 32] >> UInt8(index / 32)) & 1)
        << 4
    }
  }

  private static func decodeWithMinimum(
    _ block: UnsafeRawBufferPointer, _ values: BlockValues, code: (_ index: Int) -> Int
  ) {
    let (scale, minimum) = (block.half(0), block.half(2))
    for part in 0..<8 {
      let factors = factors(block, part)
      let (step, offset) = (scale * Float(factors.scale), minimum * Float(factors.minimum))
      for index in 32 * part..<32 * part + 32 { values[index] = step * Float(code(index)) - offset }
    }
  }

  /// One of the eight pairs of 6-bit factors in the twelve bytes from 4 on.
  static func factors(_ block: UnsafeRawBufferPointer, _ part: Int) -> (scale: Int, minimum: Int) {
    guard part >= 4 else { return (Int(block[4 + part]) & 63, Int(block[8 + part]) & 63) }
    return (
      block.nibble(8 + part, 0) | Int(block[part] >> 6) << 4,
      block.nibble(8 + part, 1) | Int(block[4 + part] >> 6) << 4
    )
  }

  /// Sub-blocks of 16: d * scale * (code - 32), the scale signed.
  static func decodeQ6_K(_ block: UnsafeRawBufferPointer, _ values: BlockValues) {
    let scale = block.half(208)
    for index in 0..<elements {
      let low = block.nibble(index / 128 * 64 + index % 64, index / 64 % 2)
      let code = low | block.pair(128 + byteOfPair(index), pairInByte(index)) << 4
      values[index] = scale * Float(block.i8(192 + index / 16)) * Float(code - 32)
    }
  }

  /// Byte and pair of the two bits of an element: each half of 128 elements has 32 bytes, a pair each 32 elements.
  static func byteOfPair(_ index: Int) -> Int { index / 128 * 32 + index % 32 }

  static func pairInByte(_ index: Int) -> Int { index / 32 % 4 }

  /// Byte of the four bits of an element: 64 elements have 32 bytes.
  static func byteOfNibble(_ index: Int) -> Int { index / 64 * 32 + index % 32 }
}
