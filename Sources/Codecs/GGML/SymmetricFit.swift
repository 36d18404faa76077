/// Finds the scale of a run of elements whose codes are -half..<half, stored plus `half`, by weighted least squares
/// over nineteen trial scales.
struct SymmetricFit {
  var half: Int32

  /// A run whose magnitudes are all below this counts as zero.
  static let nothing: Float = 1e-15

  /// Weighted sums of code * element and of code^2.
  private struct Sums {
    var product: Float = 0
    var square: Float = 0
  }

  /// The scale. `codes` gets the codes of the best trial; all 0, with the scale 0, for a run that counts as zero.
  func fit(_ values: BlockInput, _ weights: UnsafeBufferPointer<Float>, _ codes: BlockCodes) -> Float {
    let peak = values.peak
    guard peak.magnitude >= Self.nothing else {
      codes.update(repeating: 0)
      return 0
    }
    var inverse = -Float(half) / peak
    let first = sums(values, weights, inverse)
    var scale = first.square != 0 ? first.product / first.square : 0
    var best = scale * first.product
    for trial: Int32 in -9...9 where trial != 0 {
      let candidate = -(Float(half) + 0.1 * Float(trial)) / peak
      let sums = sums(values, weights, candidate)
      guard sums.square > 0, sums.product * sums.product > best * sums.square else { continue }
      inverse = candidate
      scale = sums.product / sums.square
      best = scale * sums.product
    }
    for index in values.indices { codes[index] = UInt8(truncatingIfNeeded: code(values[index], inverse) + half) }
    return scale
  }

  private func code(_ value: Float, _ inverse: Float) -> Int32 {
    Rounding.nearest(inverse * value, in: -half...half - 1)
  }

  private func sums(_ values: BlockInput, _ weights: UnsafeBufferPointer<Float>, _ inverse: Float) -> Sums {
    var sums = Sums()
    for index in values.indices {
      let code = Float(code(values[index], inverse))
      sums.product += weights[index] * values[index] * code
      sums.square += weights[index] * code * code
    }
    return sums
  }
}
