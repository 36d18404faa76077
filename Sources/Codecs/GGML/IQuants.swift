/// The types whose codes index a codebook of eight or four magnitudes, or a table of sixteen values
/// (specs/codecs/ggml.md, section 7).
enum IQuants {
  /// IQ4_NL and IQ4_XS: the value of each code.
  static let table: [Float] = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113]

  static func decodeIQ4_NL(_ block: UnsafeRawBufferPointer, _ values: BlockValues) {
    let scale = block.half(0)
    for index in 0..<32 { values[index] = scale * table[block.nibble(2 + index % 16, index / 16)] }
  }

  static func decodeIQ4_XS(_ block: UnsafeRawBufferPointer, _ values: BlockValues) {
    let scale = block.half(0)
    for index in 0..<256 {
      let part = index / 32
      let factor = block.nibble(4 + part / 2, part % 2) | Int(block.u16(2) >> UInt16(2 * part) & 3) << 4
      let code = block.nibble(8 + 16 * part + index % 16, index / 16 % 2)
      values[index] = scale * Float(factor - 32) * table[code]
    }
  }

  /// Per 32 elements: four codebook bytes, then four 7-bit sign codes and a 4-bit scale in 32 bits.
  static func decodeIQ2_XXS(_ block: UnsafeRawBufferPointer, _ values: BlockValues) {
    let grid = Codebook.iq2_xxs
    for part in 0..<8 {
      let word = block.u32(2 + 8 * part + 4)
      let scale = block.half(0) * (0.5 + Float(word >> 28)) * 0.25
      for group in 0..<4 {
        let signs = evenSigns(Int(word >> UInt32(7 * group)) & 127)
        let code = Int(block[2 + 8 * part + group])
        write(grid.entry(code), scale, signs, at: 32 * part + 8 * group, values)
      }
    }
  }

  /// Per 8 elements 16 bits: 9 of the codebook, 7 of signs. A 4-bit scale per 16.
  static func decodeIQ2_XS(_ block: UnsafeRawBufferPointer, _ values: BlockValues) {
    let grid = Codebook.iq2_xs
    for group in 0..<32 {
      let code = Int(block.u16(2 + 2 * group))
      let scale = block.half(0) * (0.5 + Float(block.nibble(66 + group / 4, group / 2 % 2))) * 0.25
      write(grid.entry(code & 511), scale, evenSigns(code >> 9), at: 8 * group, values)
    }
  }

  /// Per 8 elements 10 bits of codebook, the upper two apart, and 8 signs. A 4-bit scale per 16.
  static func decodeIQ2_S(_ block: UnsafeRawBufferPointer, _ values: BlockValues) {
    let grid = Codebook.iq2_s
    for group in 0..<32 {
      let code = Int(block[2 + group]) | block.pair(66 + group / 4, group % 4) << 8
      let scale = block.half(0) * (0.5 + Float(block.nibble(74 + group / 4, group / 2 % 2))) * 0.25
      write(grid.entry(code), scale, block[34 + group], at: 8 * group, values)
    }
  }

  /// Per 4 elements a codebook byte; per 32 four 7-bit sign codes and a 4-bit scale in 32 bits.
  static func decodeIQ3_XXS(_ block: UnsafeRawBufferPointer, _ values: BlockValues) {
    let grid = Codebook.iq3_xxs
    for group in 0..<64 {
      let word = block.u32(66 + group / 8 * 4)
      let scale = block.half(0) * (0.5 + Float(word >> 28)) * 0.5
      let signs = evenSigns(Int(word >> UInt32(7 * (group / 2 % 4))) & 127) >> UInt8(group % 2 * 4)
      write(grid.entry(Int(block[2 + group])), scale, signs, at: 4 * group, values)
    }
  }

  /// Per 4 elements 9 bits of codebook, the ninth apart, and 4 signs. A 4-bit scale per 32.
  static func decodeIQ3_S(_ block: UnsafeRawBufferPointer, _ values: BlockValues) {
    let grid = Codebook.iq3_s
    for group in 0..<64 {
      let code = Int(block[2 + group]) | block.bit(66, group) << 8
      let scale = block.half(0) * Float(1 + 2 * block.nibble(106 + group / 16, group / 8 % 2))
      write(grid.entry(code), scale, UInt8(block.nibble(74 + group / 2, group % 2)), at: 4 * group, values)
    }
  }

  /// Per 8 elements 11 bits of codebook, the upper three in the 16 bits of each 32, with a 3-bit scale and the sign
  /// of the shift above them.
  static func decodeIQ1_S(_ block: UnsafeRawBufferPointer, _ values: BlockValues) {
    for group in 0..<32 {
      let high = Int(block.u16(34 + group / 4 * 2))
      let code = Int(block[2 + group]) | (high >> (3 * (group % 4)) & 7) << 8
      let scale = block.half(0) * Float(2 * (high >> 12 & 7) + 1)
      shifted(code, scale, down: high >> 15 == 1, at: 8 * group, values)
    }
  }

  /// As IQ1_S, with a shift per 8 elements, a scale per 16, and the F16 in the upper four bits of four words.
  static func decodeIQ1_M(_ block: UnsafeRawBufferPointer, _ values: BlockValues) {
    let words = (0..<4).map { block.u16(48 + 2 * $0) }
    let bits = words[0] >> 12 | words[1] >> 8 & 0xF0 | words[2] >> 4 & 0xF00 | words[3] & 0xF000
    let whole = Float(Float16(bitPattern: bits))
    for group in 0..<32 {
      let high = block.nibble(32 + group / 2, group % 2)
      let code = Int(block[group]) | (high & 7) << 8
      let scale = whole * Float(2 * (words[group / 8] >> UInt16(group / 2 % 4 * 3) & 7) + 1)
      shifted(code, scale, down: high >> 3 == 1, at: 8 * group, values)
    }
  }

  /// Seven sign bits, and an eighth that makes their number even.
  private static func evenSigns(_ code: Int) -> UInt8 {
    UInt8(code | (code.nonzeroBitCount & 1) << 7)
  }

  private static func write(
    _ magnitudes: ArraySlice<Float>, _ scale: Float, _ signs: UInt8, at start: Int, _ values: BlockValues
  ) {
    for (index, magnitude) in magnitudes.enumerated() {
      let value = scale * magnitude
      values[start + index] = signs >> UInt8(index) & 1 == 1 ? -value : value
    }
  }

  private static func shifted(_ code: Int, _ scale: Float, down: Bool, at start: Int, _ values: BlockValues) {
    for (index, value) in Codebook.iq1.entry(code).enumerated() {
      values[start + index] = scale * (value + (down ? -0.125 : 0.125))
    }
  }
}
