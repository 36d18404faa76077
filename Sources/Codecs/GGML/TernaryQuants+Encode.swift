extension TernaryQuants {
  static func encodeTQ1_0(_ values: BlockInput, _ importance: BlockImportance?, _ block: BlockBytes) {
    let scale = values.peak.magnitude
    let inverse = Rounding.reciprocal(scale)
    block.putHalf(scale, 52)
    withUnsafeTemporaryAllocation(of: Int32.self, capacity: 52) { numbers in
      numbers.update(repeating: 0)
      for index in 0..<256 {
        let byte = placeTQ1_0(index).byte
        numbers[byte] = 3 * numbers[byte] + trit(values[index] * inverse)
      }
      for byte in 48..<52 { numbers[byte] *= 3 }
      for byte in 0..<52 { block[byte] = UInt8(truncatingIfNeeded: (numbers[byte] * 256 + 242) / 243) }
    }
  }

  static func encodeTQ2_0(_ values: BlockInput, _ importance: BlockImportance?, _ block: BlockBytes) {
    let scale = values.peak.magnitude
    let inverse = Rounding.reciprocal(scale)
    block.putHalf(scale, 64)
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 256) { codes in
      for index in 0..<256 { codes[index] = UInt8(trit(values[index] * inverse)) }
      KQuants.packPairs(codes, block, 0)
    }
  }

  /// 0, 1 or 2, halves away from 1; 1 for what is not a number, where the scale's reciprocal overflows.
  private static func trit(_ value: Float) -> Int32 {
    guard value.isFinite, value.magnitude >= 0.5 else { return 1 }
    return value > 0 ? 2 : 0
  }

  /// The scale is the mean magnitude, summed in order.
  static func encodeQ1_0(_ values: BlockInput, _ importance: BlockImportance?, _ block: BlockBytes) {
    block.putHalf(values.reduce(0) { $0 + $1.magnitude } / 128, 0)
    for byte in 0..<16 {
      block[2 + byte] = (0..<8).reduce(0) { $0 | (values[8 * byte + $1] >= 0 ? 1 : 0) << UInt8($1) }
    }
  }

  /// The scale is the largest magnitude, so that the code for 2 is never written.
  static func encodeQ2_0(_ values: BlockInput, _ importance: BlockImportance?, _ block: BlockBytes) {
    let scale = values.peak.magnitude
    let inverse = Rounding.reciprocal(scale)
    block.putHalf(scale, 0)
    for byte in 0..<16 {
      block[2 + byte] = (0..<4).reduce(0) { bits, pair in
        let code = Rounding.awayFromZero(values[4 * byte + pair] * inverse)
        return bits | UInt8(max(0, min(3, code &+ 1))) << UInt8(2 * pair)
      }
    }
  }
}
