/// The types of E2M1 elements: MXFP4 and NVFP4 (specs/codecs/ggml.md, section 5).
enum FloatQuants {
  /// Twice the values of E2M1.
  static let values: [Float] = [0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12]

  /// The E8M0 scale byte that validation in llama.cpp refuses, and NaN in OCP MX.
  static let nanScale: UInt8 = 0xFF

  static func decodeMXFP4(_ block: UnsafeRawBufferPointer, _ values: BlockValues) {
    let scale = scaleMXFP4(block[0])
    for index in 0..<32 { values[index] = Self.values[block.nibble(1 + index % 16, index / 16)] * scale }
  }

  /// Half of 2^(byte - 127), since `values` are doubled.
  static func scaleMXFP4(_ byte: UInt8) -> Float {
    Float(sign: .plus, exponent: Int(byte) - 128, significand: 1)
  }

  /// Four sub-blocks of 16, each with a scale and eight bytes: element j low, j + 8 high.
  static func decodeNVFP4(_ block: UnsafeRawBufferPointer, _ values: BlockValues) {
    for index in 0..<64 {
      let part = index / 16
      let code = block.nibble(4 + 8 * part + index % 8, index / 8 % 2)
      values[index] = Self.values[code] * scaleNVFP4(block[part])
    }
  }

  /// Half of the scale: 4 exponent bits with bias 7 and 3 mantissa bits. The sign bit counts as part of nothing but
  /// 0x7F, which is 0 like 0x00.
  static func scaleNVFP4(_ byte: UInt8) -> Float {
    guard byte != 0x7F else { return 0 }
    let (exponent, mantissa) = (Int(byte >> 3) & 15, Int(byte) & 7)
    return Float(sign: .plus, exponent: max(exponent, 1) - 11, significand: Float(mantissa + (exponent == 0 ? 0 : 8)))
  }
}
