/// Fits that improve one code after the other, in at most five passes.
enum DescentFit {
  /// Weighted sums of code * element and of code^2.
  private struct Sums {
    var product: Float = 0
    var square: Float = 0

    mutating func add(_ weight: Float, _ value: Float, _ code: Int32) {
      product += weight * value * Float(code)
      square += weight * Float(code) * Float(code)
    }

    func without(_ weight: Float, _ value: Float, _ code: Int32) -> Sums {
      Sums(
        product: product - weight * value * Float(code), square: square - weight * Float(code) * Float(code))
    }

    /// Whether these codes fit better than those of `other`.
    func isBetter(than other: Sums) -> Bool {
      product * product * other.square > other.product * other.product * square
    }

    var scale: Float { square > 0 ? product / square : 0 }
  }

  /// Codes -half..<half, stored plus `half`, weighted by the squares of the elements. All 0 for a run that counts as
  /// zero.
  static func symmetric(_ values: BlockInput, half: Int32, _ codes: BlockCodes) -> Float {
    let peak = values.peak
    guard peak.magnitude >= SymmetricFit.nothing else {
      codes.update(repeating: 0)
      return 0
    }
    let inverse = -Float(half) / peak
    var sums = Sums()
    for index in values.indices {
      let value = values[index]
      let code = Rounding.nearest(inverse * value, in: -half...half - 1)
      codes[index] = UInt8(truncatingIfNeeded: code + half)
      sums.add(value * value, value, code)
    }
    for _ in 0..<5 {
      guard passSymmetric(values, half, codes, &sums) else { break }
    }
    return sums.scale
  }

  /// False if nothing changed.
  private static func passSymmetric(
    _ values: BlockInput, _ half: Int32, _ codes: BlockCodes, _ sums: inout Sums
  ) -> Bool {
    var changed = false
    for index in values.indices {
      let (value, weight, code) = (values[index], values[index] * values[index], Int32(codes[index]) - half)
      var rest = sums.without(weight, value, code)
      guard rest.product > 0 else { continue }
      let other = Rounding.nearest(value * rest.square / rest.product, in: -half...half - 1)
      guard other != code else { continue }
      rest.add(weight, value, other)
      guard rest.square > 0, rest.isBetter(than: sums) else { continue }
      codes[index] = UInt8(truncatingIfNeeded: other + half)
      sums = rest
      changed = true
    }
    return changed
  }

  /// Codes 0...largest of values that are not negative, after nine trial scales.
  static func positive(
    _ values: BlockInput, largest: Int32, _ weights: UnsafeBufferPointer<Float>, _ codes: BlockCodes
  ) -> Float {
    let peak = values.reduce(0) { $0 > $1 ? $0 : $1 }
    guard peak >= SymmetricFit.nothing else {
      codes.update(repeating: 0)
      return 0
    }
    let inverse = bestInverse(values, largest, weights, peak)
    var sums = Sums()
    for index in values.indices {
      let code = min(largest, Rounding.nearest(inverse * values[index]))
      codes[index] = UInt8(truncatingIfNeeded: code)
      sums.add(weights[index], values[index], code)
    }
    for _ in 0..<5 {
      guard passPositive(values, largest, weights, codes, &sums) else { break }
    }
    return sums.scale
  }

  private static func bestInverse(
    _ values: BlockInput, _ largest: Int32, _ weights: UnsafeBufferPointer<Float>, _ peak: Float
  ) -> Float {
    func error(_ inverse: Float, _ code: (Int32) -> Int32) -> Float {
      let scale = 1 / inverse
      var error: Float = 0
      for index in values.indices {
        let difference = values[index] - scale * Float(code(Rounding.nearest(inverse * values[index])))
        error += weights[index] * difference * difference
      }
      return error
    }
    var best = Float(largest) / peak
    // ggml holds the first trial's codes in bytes, which shows where a value is negative.
    var least = error(best) { Int32(UInt8(truncatingIfNeeded: $0)) }
    for trial: Int32 in -4...4 where trial != 0 {
      let candidate = (0.1 * Float(trial) + Float(largest)) / peak
      let found = error(candidate) { min(largest, $0) }
      guard found < least else { continue }
      least = found
      best = candidate
    }
    return best
  }

  private static func passPositive(
    _ values: BlockInput, _ largest: Int32, _ weights: UnsafeBufferPointer<Float>, _ codes: BlockCodes,
    _ sums: inout Sums
  ) -> Bool {
    var changed = false
    for index in values.indices {
      let (value, weight, code) = (values[index], weights[index], Int32(codes[index]))
      var rest = sums.without(weight, value, code)
      guard rest.product > 0, rest.square > 0 else { continue }
      let other = min(largest, Rounding.nearest(value * rest.square / rest.product))
      guard other != code else { continue }
      rest.add(weight, value, other)
      guard rest.isBetter(than: sums) else { continue }
      codes[index] = UInt8(truncatingIfNeeded: other)
      sums = rest
      changed = true
    }
    return changed
  }
}
