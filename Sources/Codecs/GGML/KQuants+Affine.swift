import CKernels

/// Q2_K, Q4_K, Q5_K: sub-blocks of scale * code - depth.
extension KQuants {
  static func encodeQ2_K(_ values: BlockInput, _ importance: BlockImportance?, _ block: BlockBytes) {
    encodeQ2_K(values, importance, block, byLanes: false)
  }

  static func encodeQ4_K(_ values: BlockInput, _ importance: BlockImportance?, _ block: BlockBytes) {
    encodeQ4_K(values, importance, block, byLanes: false)
  }

  static func encodeQ5_K(_ values: BlockInput, _ importance: BlockImportance?, _ block: BlockBytes) {
    encodeQ5_K(values, importance, block, byLanes: false)
  }

  /// `byLanes` searches the scales of several sub-blocks at once, with the same result.
  static func encodeQ2_K(
    _ values: BlockInput, _ importance: BlockImportance?, _ block: BlockBytes, byLanes: Bool
  ) {
    let form = AffineForm(part: 16, bits: 2, factors: 15, first: -0.5, steps: 15)
    encode(form, values, importance, block, byLanes) { codes in packPairs(codes, block, 16) }
  }

  static func encodeQ4_K(
    _ values: BlockInput, _ importance: BlockImportance?, _ block: BlockBytes, byLanes: Bool
  ) {
    let form = AffineForm(part: 32, bits: 4, factors: 63, first: -1, steps: 20)
    encode(form, values, importance, block, byLanes) { codes in packNibbles(codes, block, 16) }
  }

  static func encodeQ5_K(
    _ values: BlockInput, _ importance: BlockImportance?, _ block: BlockBytes, byLanes: Bool
  ) {
    let form = AffineForm(part: 32, bits: 5, factors: 63, first: -0.5, steps: 15)
    encode(form, values, importance, block, byLanes) { codes in
      for index in 0..<32 {
        block[16 + index] = (0..<8).reduce(0) { $0 | (codes[32 * $1 + index] >> 4 & 1) << UInt8($1) }
      }
      packNibbles(codes, block, 48)
    }
  }

  private static func encode(
    _ form: AffineForm, _ values: BlockInput, _ importance: BlockImportance?, _ block: BlockBytes, _ byLanes: Bool,
    pack: (BlockCodes) -> Void
  ) {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: elements) { codes in
      withUnsafeTemporaryAllocation(of: Float.self, capacity: elements) { weights in
        form.fill(weights, values, importance)
        let run = AffineForm.Run(
          values: values, weights: UnsafeBufferPointer(weights), isWeighted: importance != nil, codes: codes)
        let fast = byLanes ? form.fitByLanes(run) : nil
        let parts = fast ?? form.fit(run)
        form.putFactors(parts, weighted: run.isWeighted, block)
        form.requantize(run, UnsafeRawBufferPointer(block), refitting: fast)
        pack(codes)
      }
    }
  }

  static func packPairs(_ codes: BlockCodes, _ block: BlockBytes, _ offset: Int) {
    for index in 0..<64 {
      let start = index / 32 * 128 + index % 32
      block[offset + index] = (0..<4).reduce(0) { $0 | (codes[start + 32 * $1] & 3) << UInt8(2 * $1) }
    }
  }

  private static func packNibbles(_ codes: BlockCodes, _ block: BlockBytes, _ offset: Int) {
    for index in 0..<128 {
      let start = index / 32 * 64 + index % 32
      block[offset + index] = codes[start] & 15 | codes[start + 32] << 4
    }
  }
}

/// What Q2_K, Q4_K and Q5_K differ in.
private struct AffineForm {
  /// Elements of a sub-block.
  var part: Int
  var bits: Int32
  /// The largest integer scale.
  var factors: Int32
  /// The trial scales without importance.
  var first: Float
  var steps: Int32

  /// A block in the making.
  struct Run {
    var values: BlockInput
    var weights: UnsafeBufferPointer<Float>
    /// Whether the weights come from an importance.
    var isWeighted: Bool
    var codes: BlockCodes
  }

  struct Part {
    var scale: Float
    var depth: Float
    /// Sum of the weights.
    var weight: Float
  }

  private var largest: Int32 { (1 << bits) - 1 }

  /// The weight of each element.
  func fill(_ weights: UnsafeMutableBufferPointer<Float>, _ values: BlockInput, _ importance: BlockImportance?) {
    if let importance {
      return importance.fill(weights, values, energy: values.energy * (bits == 2 ? 1 : 2) / Float(KQuants.elements))
    }
    for start in stride(from: 0, to: KQuants.elements, by: part) {
      let level = bits == 2 ? 0 : (values.part(start, part).energy / Float(part)).squareRoot()
      for index in start..<start + part { weights[index] = level + values[index].magnitude }
    }
  }

  private func search(_ isWeighted: Bool) -> AffineFit {
    isWeighted
      ? .weighted(largest: largest)
      : AffineFit(largest: largest, first: first, step: 0.1, steps: steps, absolute: bits == 2)
  }

  /// Fits each sub-block; its codes go to the run's.
  func fit(_ run: Run) -> [Part] { (0..<KQuants.elements / part).map { fit(run, $0) } }

  private func fit(_ run: Run, _ index: Int) -> Part {
    let start = index * part
    let weights = run.weights.part(start, part)
    let fit = search(run.isWeighted).fit(run.values.part(start, part), weights, run.codes.part(start, part))
    return Part(scale: fit.scale, depth: fit.depth, weight: weights.reduce(0, +))
  }

  /// The same without codes, by the vector search; nil where that doesn't round right.
  func fitByLanes(_ run: Run) -> [Part]? {
    let search = search(run.isWeighted)
    let form = bale_affine_form(
      part: Int32(part), largest: Float(search.largest), first: search.first, step: search.step, steps: search.steps,
      by_magnitude: search.absolute ? 1 : 0)
    let count = KQuants.elements / part
    return withUnsafeTemporaryAllocation(of: Float.self, capacity: 2 * count) { found in
      guard let base = found.baseAddress,
        bale_ggml_fit_affine(run.values.baseAddress, run.weights.baseAddress, count, form, base, base + count) != 0
      else { return nil }
      return (0..<count).map { index in
        let weight = run.isWeighted ? run.weights.part(index * part, part).reduce(0, +) : 0
        return Part(scale: found[index], depth: found[count + index], weight: weight)
      }
    }
  }

  func putFactors(_ parts: [Part], weighted: Bool, _ block: BlockBytes) {
    let weights = parts.map(\.weight)
    let scales = integers(parts.map(\.scale), weighted ? weights : nil)
    let depths = integers(parts.map(\.depth), weighted ? weights : nil)
    if bits == 2 {
      for index in 0..<16 { block[index] = scales.factors[index] | depths.factors[index] << 4 }
    } else {
      Self.pack(scales.factors, depths.factors, block)
    }
    block.putHalf(scales.unit, bits == 2 ? 80 : 0)
    block.putHalf(depths.unit, bits == 2 ? 82 : 2)
  }

  /// Integers that the values are multiples of a unit by: the largest value has the largest integer, or with weights
  /// by least squares. A negative scale, which a fit may give, wraps as a byte does.
  private func integers(_ values: [Float], _ weights: [Float]?) -> (unit: Float, factors: [UInt8]) {
    var factors = [UInt8](repeating: 0, count: values.count)
    guard let weights else {
      let peak = values.reduce(0) { $1 > $0 ? $1 : $0 }
      let inverse = peak > 0 ? Float(self.factors) / peak : 0
      factors = values.map { bounded(UInt8(truncatingIfNeeded: Rounding.nearest(inverse * $0)), at: bits != 2) }
      return (peak / Float(self.factors), factors)
    }
    let unit = factors.withUnsafeMutableBufferPointer { factors in
      values.withUnsafeBufferPointer { values in
        weights.withUnsafeBufferPointer { DescentFit.positive(values, largest: self.factors, $0, factors) }
      }
    }
    return (unit, factors.map { bounded($0, at: bits == 5) })
  }

  private func bounded(_ factor: UInt8, at applies: Bool) -> UInt8 { applies ? min(63, factor) : factor }

  /// Eight pairs of 6 bits in twelve bytes: the upper two bits of the last four are in the upper bits of the first.
  private static func pack(_ scales: [UInt8], _ depths: [UInt8], _ block: BlockBytes) {
    for index in 0..<4 {
      block[4 + index] = scales[index] | (scales[index + 4] >> 4) << 6
      block[8 + index] = depths[index] | (depths[index + 4] >> 4) << 6
      block[12 + index] = scales[index + 4] & 15 | depths[index + 4] << 4
    }
  }

  /// Rounds the elements by the scales as they are stored. Sub-blocks whose scale became 0 keep the codes of their
  /// fit, which is made here for `refitting` that has none.
  func requantize(_ run: Run, _ block: UnsafeRawBufferPointer, refitting: [Part]?) {
    let (unit, depthUnit) = (block.half(bits == 2 ? 80 : 0), block.half(bits == 2 ? 82 : 2))
    for index in 0..<KQuants.elements / part {
      let factors = bits == 2 ? (block.nibble(index, 0), block.nibble(index, 1)) : KQuants.factors(block, index)
      let scale = unit * Float(factors.0)
      guard scale != 0 else {
        if refitting != nil { _ = fit(run, index) }
        continue
      }
      let depth = depthUnit * Float(factors.1)
      for element in index * part..<(index + 1) * part {
        run.codes[element] = UInt8(Rounding.nearest((run.values[element] + depth) / scale, in: 0...largest))
      }
    }
  }
}
