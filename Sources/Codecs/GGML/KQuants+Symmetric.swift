import CKernels

/// Q3_K and Q6_K: sub-blocks of 16 elements of scale * code with signed codes.
extension KQuants {
  private static let part = 16

  static func encodeQ3_K(_ values: BlockInput, _ importance: BlockImportance?, _ block: BlockBytes) {
    encodeQ3_K(values, importance, block, byLanes: false)
  }

  static func encodeQ6_K(_ values: BlockInput, _ importance: BlockImportance?, _ block: BlockBytes) {
    encodeQ6_K(values, importance, block, byLanes: false)
  }

  /// `byLanes` searches the scales of several sub-blocks at once, with the same result.
  static func encodeQ3_K(
    _ values: BlockInput, _ importance: BlockImportance?, _ block: BlockBytes, byLanes: Bool
  ) {
    withRun(values, half: 4) { run, weights in
      if let importance {
        importance.fill(weights, values, energy: 2 * values.energy / Float(elements))
        packFactorsQ3_K(weightedFactorsQ3_K(&run, block, byLanes), block)
      } else {
        let scales = starts.map { DescentFit.symmetric(values.part($0, part), half: 4, run.codes.part($0, part)) }
        packFactorsQ3_K(factorsQ3_K(scales, block), block)
      }
      let stored = UnsafeRawBufferPointer(block)
      run.requantize { block.half(108) * Float(scaleQ3_K(stored, $0) - 32) }
      for index in 0..<32 {
        block[index] = (0..<8).reduce(0) { $0 | (run.codes[32 * $1 + index] >> 2 & 1) << UInt8($1) }
      }
      packPairs(run.codes, block, 32)
    }
  }

  private static func withRun(
    _ values: BlockInput, half: Int32, _ body: (inout SymmetricRun, UnsafeMutableBufferPointer<Float>) -> Void
  ) {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: elements) { codes in
      withUnsafeTemporaryAllocation(of: Float.self, capacity: elements) { weights in
        var run = SymmetricRun(half: half, values: values, weights: UnsafeBufferPointer(weights), codes: codes)
        body(&run, weights)
      }
    }
  }

  private static var starts: StrideTo<Int> { stride(from: 0, to: elements, by: part) }

  /// The scale of largest magnitude becomes -32 units.
  private static func factorsQ3_K(_ scales: [Float], _ block: BlockBytes) -> [UInt8] {
    let peak = scales.withUnsafeBufferPointer(\.peak)
    guard peak != 0 else {
      block.putHalf(0, 108)
      return [UInt8](repeating: 0, count: scales.count)
    }
    let inverse = -32 / peak
    block.putHalf(1 / inverse, 108)
    return scales.map { UInt8(Rounding.nearest(inverse * $0, in: -32...31) + 32) }
  }

  private static func weightedFactorsQ3_K(_ run: inout SymmetricRun, _ block: BlockBytes, _ byLanes: Bool) -> [UInt8] {
    let scales = run.fit(byLanes: byLanes)
    let sums = starts.map { run.weights.part($0, part).reduce(0, +) }
    var factors = [UInt8](repeating: 0, count: scales.count)
    let unit = factors.withUnsafeMutableBufferPointer { factors in
      scales.withUnsafeBufferPointer { scales in
        sums.withUnsafeBufferPointer { SymmetricFit(half: 32).fit(scales, $0, factors) }
      }
    }
    block.putHalf(unit, 108)
    return factors
  }

  /// Sixteen times 6 bits: the lower four in eight bytes, the upper two in four.
  private static func packFactorsQ3_K(_ factors: [UInt8], _ block: BlockBytes) {
    for index in 0..<8 { block[96 + index] = factors[index] & 15 | factors[index + 8] << 4 }
    for index in 0..<4 {
      block[104 + index] = (0..<4).reduce(0) { $0 | (factors[4 * $1 + index] >> 4) << UInt8(2 * $1) }
    }
  }

  /// Weights are the importance, or the squares of the elements.
  static func encodeQ6_K(
    _ values: BlockInput, _ importance: BlockImportance?, _ block: BlockBytes, byLanes: Bool
  ) {
    withRun(values, half: 32) { run, weights in
      for index in 0..<elements { weights[index] = importance?.weights[index] ?? values[index] * values[index] }
      let scales = run.fit(byLanes: byLanes)
      let peak = scales.withUnsafeBufferPointer(\.peak)
      guard peak.magnitude >= SymmetricFit.nothing else {
        block.initializeMemory(as: UInt8.self, repeating: 0)
        return
      }
      let inverse = -128 / peak
      block.putHalf(1 / inverse, 208)
      for index in scales.indices {
        block[192 + index] = UInt8(truncatingIfNeeded: min(127, Rounding.nearest(inverse * scales[index])))
      }
      let stored = UnsafeRawBufferPointer(block)
      run.requantize { block.half(208) * Float(stored.i8(192 + $0)) }
      packQ6_K(run.codes, block)
    }
  }

  private static func packQ6_K(_ codes: BlockCodes, _ block: BlockBytes) {
    for index in 0..<128 {
      let start = index / 64 * 128 + index % 64
      block[index] = codes[start] & 15 | codes[start + 64] << 4
    }
    for index in 0..<64 {
      let start = index / 32 * 128 + index % 32
      block[128 + index] = (0..<4).reduce(0) { $0 | (codes[start + 32 * $1] >> 4) << UInt8(2 * $1) }
    }
  }
}

/// A block of Q3_K or Q6_K in the making.
private struct SymmetricRun {
  var half: Int32
  var values: BlockInput
  var weights: UnsafeBufferPointer<Float>
  var codes: BlockCodes
  /// Whether the fit has left no codes.
  var lacksCodes = false

  private static let part = 16

  /// The scales of the sub-blocks.
  mutating func fit(byLanes: Bool) -> [Float] {
    let scales = [Float](unsafeUninitializedCapacity: 16) { scales, count in
      let base = scales.baseAddress
      lacksCodes =
        byLanes && bale_ggml_fit_symmetric(values.baseAddress, weights.baseAddress, Float(half), base) != 0
      count = lacksCodes ? 16 : 0
    }
    return lacksCodes ? scales : (0..<16).map(fit)
  }

  private func fit(_ index: Int) -> Float {
    let start = index * Self.part
    return SymmetricFit(half: half).fit(
      values.part(start, Self.part), weights.part(start, Self.part), codes.part(start, Self.part))
  }

  /// Rounds the elements by the scales as they are stored. Sub-blocks whose scale became 0 keep the codes of their fit.
  func requantize(scale: (_ part: Int) -> Float) {
    for index in 0..<16 {
      let scale = scale(index)
      guard scale != 0 else {
        if lacksCodes { _ = fit(index) }
        continue
      }
      for element in index * Self.part..<(index + 1) * Self.part {
        codes[element] = UInt8(Rounding.nearest(values[element] / scale, in: -half...half - 1) + half)
      }
    }
  }
}
