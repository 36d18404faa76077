/// Q3_K and Q6_K: sub-blocks of 16 elements of scale * code with signed codes.
extension KQuants {
  private static let part = 16

  static func encodeQ3_K(_ values: BlockInput, _ importance: BlockImportance?, _ block: BlockBytes) {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: elements) { codes in
      let factors: [UInt8]
      if let importance {
        factors = weightedFactorsQ3_K(values, importance, codes, block)
      } else {
        let scales = starts.map { DescentFit.symmetric(values.part($0, part), half: 4, codes.part($0, part)) }
        factors = factorsQ3_K(scales, block)
      }
      packFactorsQ3_K(factors, block)
      let stored = UnsafeRawBufferPointer(block)
      requantize(values, codes, half: 4) { block.half(108) * Float(scaleQ3_K(stored, $0) - 32) }
      for index in 0..<32 {
        block[index] = (0..<8).reduce(0) { $0 | (codes[32 * $1 + index] >> 2 & 1) << UInt8($1) }
      }
      packPairs(codes, block, 32)
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

  private static func weightedFactorsQ3_K(
    _ values: BlockInput, _ importance: BlockImportance, _ codes: BlockCodes, _ block: BlockBytes
  ) -> [UInt8] {
    let energy = 2 * values.energy / Float(elements)
    var (scales, sums): ([Float], [Float]) = ([], [])
    withUnsafeTemporaryAllocation(of: Float.self, capacity: part) { weights in
      for start in starts {
        let run = values.part(start, part)
        importance.fill(weights, run, energy: energy, from: start)
        sums.append(weights.reduce(0, +))
        scales.append(SymmetricFit(half: 4).fit(run, UnsafeBufferPointer(weights), codes.part(start, part)))
      }
    }
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

  static func encodeQ6_K(_ values: BlockInput, _ importance: BlockImportance?, _ block: BlockBytes) {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: elements) { codes in
      let scales = scalesQ6_K(values, importance, codes)
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
      requantize(values, codes, half: 32) { block.half(208) * Float(stored.i8(192 + $0)) }
      packQ6_K(codes, block)
    }
  }

  /// Weights are the importance, or the squares of the elements.
  private static func scalesQ6_K(
    _ values: BlockInput, _ importance: BlockImportance?, _ codes: BlockCodes
  ) -> [Float] {
    withUnsafeTemporaryAllocation(of: Float.self, capacity: part) { squares in
      starts.map { start in
        let run = values.part(start, part)
        for index in run.indices { squares[index] = run[index] * run[index] }
        let weights = importance?.weights.part(start, part) ?? UnsafeBufferPointer(squares)
        return SymmetricFit(half: 32).fit(run, weights, codes.part(start, part))
      }
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

  /// Rounds the elements by the scales as they are stored. Sub-blocks whose scale became 0 keep their codes.
  private static func requantize(
    _ values: BlockInput, _ codes: BlockCodes, half: Int32, scale: (_ part: Int) -> Float
  ) {
    for start in starts {
      let scale = scale(start / part)
      guard scale != 0 else { continue }
      for index in start..<start + part {
        codes[index] = UInt8(Rounding.nearest(values[index] / scale, in: -half...half - 1) + half)
      }
    }
  }
}
