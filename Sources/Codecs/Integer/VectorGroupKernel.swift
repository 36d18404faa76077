import CKernels

/// The kernel in C.
enum VectorGroupKernel: GroupKernel {
  static func extremes(_ values: UnsafeBufferPointer<Float>) -> (low: Float, high: Float)? {
    var (low, high): (Float, Float) = (0, 0)
    return bale_group_extremes(values.baseAddress, values.count, &low, &high) != 0 ? (low, high) : nil
  }

  static func search(
    _ values: UnsafeBufferPointer<Float>, _ scaling: GroupScaling<Self>, low: Float, high: Float
  ) -> GroupTerms? {
    let (codec, grid) = (scaling.codec, scaling.codec.grid)
    let range = codec.codeRange
    var best = bale_group_terms()
    let found = bale_group_search(
      values.baseAddress, values.count, low, high,
      bale_group_grid(
        zero: codec.kernelZero, scale: codec.kernelScale, bias: codec.kernelBias, lowest: Float(range.lowerBound),
        highest: Float(range.upperBound), first: grid.first, last: grid.last, step: grid.step), &best)
    return found != 0 ? GroupTerms(scale: best.scale, zero: best.zero, bias: best.bias) : nil
  }

  static func quantize(
    _ values: UnsafeBufferPointer<Float>, _ terms: GroupTerms, _ range: ClosedRange<Int>,
    into codes: UnsafeMutablePointer<UInt8>
  ) {
    bale_group_codes(values.baseAddress, values.count, kernelTerms(terms, range), codes)
  }

  static func pack(
    _ codes: UnsafePointer<UInt8>, count: Int, layout: PackedRows, into output: UnsafeMutableRawBufferPointer
  ) {
    guard let target = output.baseAddress else { return }
    bale_pack_codes(codes, count, UInt32(layout.bits), target.assumingMemoryBound(to: UInt8.self))
  }

  private static func kernelTerms(_ terms: GroupTerms, _ range: ClosedRange<Int>) -> bale_group_terms {
    bale_group_terms(
      scale: terms.scale, inverse: terms.inverse, zero: terms.zero, bias: terms.bias,
      lowest: Float(range.lowerBound), highest: Float(range.upperBound))
  }
}
