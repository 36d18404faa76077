extension FloatQuants {
  /// The scale is 2^(floor(log2 of the largest magnitude) - 2), so that the largest element may be clipped.
  static func encodeMXFP4(_ values: BlockInput, _ importance: BlockImportance?, _ block: BlockBytes) {
    encodeMXFP4(values, scale: scaleByteMXFP4(values.peak.magnitude), block)
  }

  static func encodeMXFP4(_ values: BlockInput, scale byte: UInt8, _ block: BlockBytes) {
    block[0] = byte
    let scale = scaleMXFP4(byte)
    for index in 0..<16 {
      block[1 + index] = nearest(values[index], scale) | nearest(values[index + 16], scale) << 4
    }
  }

  /// `log2f` of C rounds to the integer k for a magnitude this close below 2^k: `near` units of the last place for k,
  /// or 1 - k where k is negative, up to `limit`; 44 above.
  private static let nearPowers: [(limit: Int, near: UInt32)] = [(2, 0), (4, 1), (8, 2), (16, 5), (32, 11), (64, 22)]

  /// The exponent wraps at 256 as the x86 build's does: a magnitude below 2^-126 gets a byte of 232 to 254 and only
  /// zero codes. Between 2^-126 and 2^-125, where ggml gives the byte 255 that its own check refuses, it is 0.
  static func scaleByteMXFP4(_ magnitude: Float) -> UInt8 {
    guard magnitude > 0 else { return 0 }
    let byte = UInt8(truncatingIfNeeded: floorOfLog2(magnitude) + 125)
    return byte == nanScale ? 0 : byte
  }

  private static func floorOfLog2(_ magnitude: Float) -> Int {
    let above = Int(magnitude.exponent) + 1
    let distance = 1 << 23 - magnitude.significandBitPattern
    guard magnitude.isNormal else { return above - 1 }
    let reach = above < 0 ? -above + 1 : above
    let near = nearPowers.first { reach <= $0.limit }?.near ?? 44
    return distance <= near ? above : above - 1
  }

  /// The first code whose value is nearest.
  private static func nearest(_ value: Float, _ scale: Float) -> UInt8 {
    var best = (error: value.magnitude, code: 0)
    for code in 1..<16 {
      let error = (Self.values[code] * scale - value).magnitude
      if error < best.error { best = (error, code) }
    }
    return UInt8(best.code)
  }

  /// Each 16 elements have the scale largest magnitude / 6.
  static func encodeNVFP4(_ values: BlockInput, _ importance: BlockImportance?, _ block: BlockBytes) {
    for part in 0..<4 {
      let run = values.part(16 * part, 16)
      block[part] = scaleByteNVFP4(run.peak.magnitude / 6)
      let scale = scaleNVFP4(block[part])
      for index in 0..<8 {
        block[4 + 8 * part + index] = nearest(run[index], scale) | nearest(run[index + 8], scale) << 4
      }
    }
  }

  /// To nearest, ties up; 448 from 248 on.
  static func scaleByteNVFP4(_ value: Float) -> UInt8 {
    guard value > 0 else { return 0 }
    let exponent = Int(value.bitPattern >> 23) - 120
    guard exponent > 0 else { return UInt8(max(0, min(7, Rounding.truncated(value * 512 + 0.5)))) }
    let rounded = (Int(value.bitPattern >> 19 & 15) + 1) / 2
    return exponent << 3 + rounded < 0x78 ? UInt8(exponent << 3 + rounded) : 0x7E
  }
}
