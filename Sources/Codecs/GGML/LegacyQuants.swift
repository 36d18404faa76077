/// The types of one scale per 32 elements: Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q8_1 (specs/codecs/ggml.md, section 3).
/// Nibbles hold element j low and element j + 16 high.
enum LegacyQuants {
  static let elements = 32

  static func decodeQ4_0(_ block: UnsafeRawBufferPointer, _ values: BlockValues) {
    let scale = block.half(0)
    for index in 0..<elements { values[index] = Float(block.nibble(2 + index % 16, index / 16) - 8) * scale }
  }

  static func decodeQ4_1(_ block: UnsafeRawBufferPointer, _ values: BlockValues) {
    let (scale, minimum) = (block.half(0), block.half(2))
    for index in 0..<elements {
      values[index] = Float(block.nibble(4 + index % 16, index / 16)) * scale + minimum
    }
  }

  static func decodeQ5_0(_ block: UnsafeRawBufferPointer, _ values: BlockValues) {
    let scale = block.half(0)
    for index in 0..<elements {
      let code = block.nibble(6 + index % 16, index / 16) | block.bit(2, index) << 4
      values[index] = Float(code - 16) * scale
    }
  }

  static func decodeQ5_1(_ block: UnsafeRawBufferPointer, _ values: BlockValues) {
    let (scale, minimum) = (block.half(0), block.half(2))
    for index in 0..<elements {
      let code = block.nibble(8 + index % 16, index / 16) | block.bit(4, index) << 4
      values[index] = Float(code) * scale + minimum
    }
  }

  static func decodeQ8_0(_ block: UnsafeRawBufferPointer, _ values: BlockValues) {
    decodeBytes(block, scale: block.half(0), codes: 2, values)
  }

  /// As Q8_0, with scale * (sum of codes) in an F16 between, which decoding doesn't need.
  static func decodeQ8_1(_ block: UnsafeRawBufferPointer, _ values: BlockValues) {
    decodeBytes(block, scale: block.half(0), codes: 4, values)
  }

  /// 256 elements under an F32 scale; the sums of each 16 codes follow them.
  static func decodeQ8_K(_ block: UnsafeRawBufferPointer, _ values: BlockValues) {
    decodeBytes(block, scale: block.single(0), codes: 4, values)
  }

  private static func decodeBytes(
    _ block: UnsafeRawBufferPointer, scale: Float, codes: Int, _ values: BlockValues
  ) {
    for index in values.indices { values[index] = Float(block.i8(codes + index)) * scale }
  }
}
