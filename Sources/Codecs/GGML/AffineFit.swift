/// Finds scale and depth of a run of elements, x = scale * code - depth with codes 0...largest, by weighted least
/// squares over trial scales. The depth is never negative.
struct AffineFit {
  var largest: Int32
  /// Trial t has (first + step * t + largest) codes over the range, for t in 0...steps.
  var first: Float
  var step: Float
  var steps: Int32
  /// Errors count by their magnitude instead of their square.
  var absolute = false

  /// The search with importance.
  static func weighted(largest: Int32) -> AffineFit { AffineFit(largest: largest, first: -0.9, step: 0.05, steps: 36) }

  private struct Trial {
    var code: Float = 0
    var square: Float = 0
    var product: Float = 0
  }

  private struct Run {
    var values: BlockInput
    var weights: UnsafeBufferPointer<Float>
    var weight: Float
    var sum: Float
  }

  /// `codes` gets the codes of the best trial; all 0 where the elements, and 0, are equal.
  func fit(
    _ values: BlockInput, _ weights: UnsafeBufferPointer<Float>, _ codes: BlockCodes
  ) -> (scale: Float, depth: Float) {
    let run = Self.run(values, weights)
    let (low, high) = Self.extremes(values)
    guard high > low else {
      codes.update(repeating: 0)
      return (0, -low)
    }
    var best = (inverse: Float(largest) / (high - low), origin: low)
    var (scale, minimum) = (1 / best.inverse, low)
    var error = error(run, best.inverse, best.origin, scale: scale, minimum: minimum)
    for trial in 0...steps {
      let inverse = (first + step * Float(trial) + Float(largest)) / (high - minimum)
      guard let line = line(run, inverse, minimum) else { continue }
      let newError = self.error(run, inverse, minimum, scale: line.scale, minimum: line.minimum)
      guard newError < error else { continue }
      best = (inverse, minimum)
      error = newError
      (scale, minimum) = line
    }
    for index in values.indices { codes[index] = UInt8(code(values[index], best.inverse, best.origin)) }
    return (scale, -minimum)
  }

  /// Sums of the weights and of the weighted elements.
  private static func run(_ values: BlockInput, _ weights: UnsafeBufferPointer<Float>) -> Run {
    var run = Run(values: values, weights: weights, weight: weights[0], sum: weights[0] * values[0])
    for index in 1..<values.count {
      run.weight += weights[index]
      run.sum += weights[index] * values[index]
    }
    return run
  }

  /// The smallest element, or 0 if that is less, and the largest.
  private static func extremes(_ values: BlockInput) -> (low: Float, high: Float) {
    var (low, high) = (values[0], values[0])
    for value in values {
      if value < low { low = value }
      if value > high { high = value }
    }
    return (low > 0 ? 0 : low, high)
  }

  private func code(_ value: Float, _ inverse: Float, _ origin: Float) -> Int32 {
    Rounding.nearest(inverse * (value - origin), in: 0...largest)
  }

  /// The line through the elements over their codes; nil where the codes don't give one.
  private func line(_ run: Run, _ inverse: Float, _ origin: Float) -> (scale: Float, minimum: Float)? {
    var sums = Trial()
    for index in run.values.indices {
      let code = Float(code(run.values[index], inverse, origin))
      let weighted = run.weights[index] * code
      sums.code += weighted
      sums.square += weighted * code
      sums.product += weighted * run.values[index]
    }
    let determinant = run.weight * sums.square - sums.code * sums.code
    guard determinant > 0 else { return nil }
    let minimum = (sums.square * run.sum - sums.code * sums.product) / determinant
    if minimum > 0 { return (sums.product / sums.square, 0) }
    return ((run.weight * sums.product - run.sum * sums.code) / determinant, minimum)
  }

  private func error(_ run: Run, _ inverse: Float, _ origin: Float, scale: Float, minimum: Float) -> Float {
    var error: Float = 0
    for index in run.values.indices {
      let code = Float(code(run.values[index], inverse, origin))
      let difference = scale * code + minimum - run.values[index]
      error += run.weights[index] * (absolute ? difference.magnitude : difference * difference)
    }
    return error
  }
}
