/// The loops over the values of one group. The plain kernel and the vectorised one give the same bits.
protocol GroupKernel {
  /// The smallest and the largest value; nil if one is not finite.
  static func extremes(_ values: UnsafeBufferPointer<Float>) -> (low: Float, high: Float)?

  /// The terms with the least squared error, summed by `LaneSums`, among the divisors of the grid, then half a step
  /// around the best of them; the first at a tie. Nil if no divisor gives a finite error.
  static func search(
    _ values: UnsafeBufferPointer<Float>, _ scaling: GroupScaling<Self>, low: Float, high: Float
  ) -> GroupTerms?

  /// The nearest codes, ties to even, clipped to `range`; negative ones in two's complement.
  static func quantize(
    _ values: UnsafeBufferPointer<Float>, _ terms: GroupTerms, _ range: ClosedRange<Int>,
    into codes: UnsafeMutablePointer<UInt8>)

  /// Packs `count` codes at the bytes from `output` on, which they fill but for the last bits.
  static func pack(
    _ codes: UnsafePointer<UInt8>, count: Int, layout: PackedRows, into output: UnsafeMutableRawBufferPointer)
}

extension GroupTerms {
  /// 1 / scale, or 0 for a group of zeros.
  var inverse: Float { scale == 0 ? 0 : 1 / scale }

  /// The nearest code as a float.
  @inline(__always)
  func code(_ value: Float, inverse: Float, in range: ClosedRange<Float>) -> Float {
    guard inverse != 0 else { return min(max(zero, range.lowerBound), range.upperBound) }
    let code = ((value - bias) * inverse).rounded(.toNearestOrEven) + zero
    return min(max(code, range.lowerBound), range.upperBound)
  }

  /// The value of a code.
  @inline(__always)
  func value(_ code: Float) -> Float { (code - zero) * scale + bias }
}

enum PlainGroupKernel: GroupKernel {
  static func extremes(_ values: UnsafeBufferPointer<Float>) -> (low: Float, high: Float)? {
    var (low, high) = (Float.infinity, -Float.infinity)
    for value in values {
      guard value.isFinite else { return nil }
      (low, high) = (min(low, value), max(high, value))
    }
    return (low, high)
  }

  /// Sum of squared errors of the nearest codes.
  private static func squaredError(
    _ values: UnsafeBufferPointer<Float>, _ terms: GroupTerms, _ range: ClosedRange<Int>
  ) -> Float {
    let (inverse, range) = (terms.inverse, Float(range.lowerBound)...Float(range.upperBound))
    var sums = LaneSums()
    for (index, value) in values.enumerated() {
      let difference = terms.value(terms.code(value, inverse: inverse, in: range)) - value
      sums.add(difference * difference, lane: index)
    }
    return sums.total
  }

  static func search(
    _ values: UnsafeBufferPointer<Float>, _ scaling: GroupScaling<Self>, low: Float, high: Float
  ) -> GroupTerms? {
    let (codec, grid) = (scaling.codec, scaling.codec.grid)
    var best: (error: Float, divisor: Float, terms: GroupTerms?) = (.infinity, 0, nil)
    func attempt(_ divisor: Float) {
      guard divisor >= grid.first, let candidate = scaling.terms(low: low, high: high, divisor: divisor) else { return }
      guard codec.spans(candidate, low: low, high: high) else { return }
      let error = squaredError(values, candidate, codec.codeRange)
      if error < best.error { best = (error, divisor, candidate) }
    }
    for divisor in grid.divisors { attempt(divisor) }
    let coarse = best.divisor
    attempt(coarse - grid.step / 2)
    attempt(coarse + grid.step / 2)
    return best.terms
  }

  static func quantize(
    _ values: UnsafeBufferPointer<Float>, _ terms: GroupTerms, _ range: ClosedRange<Int>,
    into codes: UnsafeMutablePointer<UInt8>
  ) {
    let (inverse, range) = (terms.inverse, Float(range.lowerBound)...Float(range.upperBound))
    for (index, value) in values.enumerated() {
      codes[index] = UInt8(truncatingIfNeeded: Int(terms.code(value, inverse: inverse, in: range)))
    }
  }

  static func pack(
    _ codes: UnsafePointer<UInt8>, count: Int, layout: PackedRows, into output: UnsafeMutableRawBufferPointer
  ) {
    let mask = UInt8(truncatingIfNeeded: (1 << layout.bits) - 1)
    output.initializeMemory(as: UInt8.self, repeating: 0)
    for index in 0..<count { layout.put(codes[index] & mask, at: index, in: output) }
  }
}
