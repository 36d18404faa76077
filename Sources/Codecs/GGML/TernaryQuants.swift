/// The types of one or two bits an element, or of base-3 digits: TQ1_0, TQ2_0, Q1_0, Q2_0 (specs/codecs/ggml.md,
/// section 6).
enum TernaryQuants {
  /// Five base-3 digits a byte, stored as the fraction of 256 that their number is of 243, so that multiplying by 3
  /// brings out one digit after the other.
  static func decodeTQ1_0(_ block: UnsafeRawBufferPointer, _ values: BlockValues) {
    let scale = block.half(52)
    for index in 0..<256 {
      let place = placeTQ1_0(index)
      let power = [1, 3, 9, 27, 81][place.digit]
      let rest = Int(block[place.byte]) * power % 256
      values[index] = Float(rest * 3 / 256 - 1) * scale
    }
  }

  /// Byte and digit of an element: 32 bytes of five elements each, 16 of five, 4 of four.
  static func placeTQ1_0(_ index: Int) -> (byte: Int, digit: Int) {
    if index < 160 { return (index % 32, index / 32) }
    if index < 240 { return (32 + (index - 160) % 16, (index - 160) / 16) }
    return (48 + (index - 240) % 4, (index - 240) / 4)
  }

  static func decodeTQ2_0(_ block: UnsafeRawBufferPointer, _ values: BlockValues) {
    let scale = block.half(64)
    for index in 0..<256 {
      values[index] = Float(block.pair(KQuants.byteOfPair(index), KQuants.pairInByte(index)) - 1) * scale
    }
  }

  /// 128 signs.
  static func decodeQ1_0(_ block: UnsafeRawBufferPointer, _ values: BlockValues) {
    let scale = block.half(0)
    for index in 0..<128 { values[index] = block.bit(2, index) == 1 ? scale : -scale }
  }

  /// 64 elements of -1, 0, 1 or 2 scales.
  static func decodeQ2_0(_ block: UnsafeRawBufferPointer, _ values: BlockValues) {
    let scale = block.half(0)
    for index in 0..<64 { values[index] = Float(block.pair(2 + index / 4, index % 4) - 1) * scale }
  }
}
