/// IQ4_NL and IQ4_XS: a scale by weighted least squares over sixteen trial scales, and the nearest values of the table.
extension IQuants {
  static func encodeIQ4_NL(_ values: BlockInput, _ importance: BlockImportance?, _ block: BlockBytes) {
    let scale = scale(values, importance, energy: values.energy * (2 / 32), from: 0)
    let inverse = Rounding.reciprocal(scale)
    block.putHalf(scale, 0)
    pack(values, inverse, block, 2)
  }

  static func encodeIQ4_XS(_ values: BlockInput, _ importance: BlockImportance?, _ block: BlockBytes) {
    let energy = values.energy * (2 / 256)
    let scales = (0..<8).map { scale(values.part(32 * $0, 32), importance, energy: energy, from: 32 * $0) }
    let unit = -scales.withUnsafeBufferPointer(\.peak) / 32
    let inverse = Rounding.reciprocal(unit)
    block.putHalf(unit, 0)
    var high: UInt16 = 0
    for index in 0..<8 {
      let factor = Rounding.nearest(inverse * scales[index], in: -32...31)
      pack(values.part(32 * index, 32), Rounding.reciprocal(unit * Float(factor)), block, 8 + 16 * index)
      let bits = UInt16(factor + 32)
      high |= (bits >> 4) << UInt16(2 * index)
      let low = UInt8(bits & 15)
      block[4 + index / 2] = index % 2 == 0 ? low : block[4 + index / 2] | low << 4
    }
    block.putU16(high, 2)
  }

  private static func pack(_ values: BlockInput, _ inverse: Float, _ block: BlockBytes, _ offset: Int) {
    for index in 0..<16 {
      block[offset + index] = UInt8(nearest(inverse * values[index]) | nearest(inverse * values[index + 16]) << 4)
    }
  }

  /// Weights are the squares of the elements, or importance * sqrt(energy + x^2). 0 for a run that counts as zero.
  private static func scale(
    _ values: BlockInput, _ importance: BlockImportance?, energy: Float, from start: Int
  ) -> Float {
    let peak = values.peak
    guard peak.magnitude >= SymmetricFit.nothing else { return 0 }
    return withUnsafeTemporaryAllocation(of: Float.self, capacity: 32) { weights in
      for index in 0..<32 { weights[index] = values[index] * values[index] }
      importance?.fill(weights, values, energy: energy, from: start)
      return search(values, UnsafeBufferPointer(weights), peak)
    }
  }

  private static func search(_ values: BlockInput, _ weights: UnsafeBufferPointer<Float>, _ peak: Float) -> Float {
    let first = sums(values, weights, 1 / (-peak / table[0]))
    var scale = first.square > 0 ? first.product / first.square : 0
    var best = scale * first.product
    for trial in -7...7 {
      let sums = sums(values, weights, (Float(trial) + table[0]) / peak)
      guard sums.square > 0, sums.product * sums.product > best * sums.square else { continue }
      scale = sums.product / sums.square
      best = scale * sums.product
    }
    return scale
  }

  private static func sums(
    _ values: BlockInput, _ weights: UnsafeBufferPointer<Float>, _ inverse: Float
  ) -> (product: Float, square: Float) {
    var (product, square): (Float, Float) = (0, 0)
    for index in values.indices {
      let value = table[nearest(inverse * values[index])]
      product += weights[index] * value * values[index]
      square += weights[index] * value * value
    }
    return (product, square)
  }

  /// The code of the table's nearest value, the upper one at a tie, found by halving the table.
  private static func nearest(_ value: Float) -> Int {
    if value <= table[0] { return 0 }
    if value >= table[15] { return 15 }
    var (low, high) = (0, 15)
    while high - low > 1 {
      let middle = (low + high) / 2
      if value < table[middle] { high = middle } else { low = middle }
    }
    return value - table[high - 1] < table[high] - value ? high - 1 : high
  }
}
