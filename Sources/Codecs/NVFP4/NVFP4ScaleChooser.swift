import Tensors

/// Chooses the scale byte of a block of NVFP4, 0 to 126 (specs/codecs/nvfp4.md, "Encoding").
struct NVFP4ScaleChooser {
  /// The inverse of the scale of every byte; 0 for byte 0.
  let inverses: [Float]
  /// The value of every byte without the factor of the tensor.
  let weights: [Float]
  /// The largest magnitude of a block times this is what its scale byte should stand for.
  let unit: Float
  let isSearched: Bool

  /// Bytes below and above the nearest that the search tries.
  private static let below = 3, above = 6
  private static let largestByte = 126

  init(scales: [Float], isSearched: Bool) {
    inverses = (0...Self.largestByte).map { $0 == 0 ? 0 : 1 / scales[$0] }
    weights = Array(Elements.table(.f8e4m3)[...Self.largestByte])
    unit = 1 / (6 * scales[0x38])
    self.isSearched = isSearched
  }

  /// The scale byte of a block of finite values.
  func byte(of values: UnsafeBufferPointer<Float>) -> UInt8 {
    let largest = values.reduce(0) { max($0, $1.magnitude) }
    guard largest > 0 else { return 0 }
    let nearest = max(1, Int(MXElement.e4m3.nearestCode(largest * unit)))
    guard isSearched else { return UInt8(nearest) }
    let first = max(nearest - Self.below, 1)
    var best = (error: Float.infinity, byte: first)
    for byte in first...min(nearest + Self.above, Self.largestByte) {
      let error = squaredError(values, inverse: inverses[byte]) * (weights[byte] * weights[byte])
      if error < best.error { best = (error, byte) }
    }
    return UInt8(best.byte)
  }

  /// Sum of squared errors in units of the scale, in the order of `LaneSums`.
  private func squaredError(_ values: UnsafeBufferPointer<Float>, inverse: Float) -> Float {
    var sums = LaneSums()
    for (index, value) in values.enumerated() {
      let magnitude = value.magnitude * inverse
      let difference = MXElement.e2m1.rounded(magnitude) - magnitude
      sums.add(difference * difference, lane: index)
    }
    return sums.total
  }
}
