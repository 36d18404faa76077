/// Scales by the extremes of a block; with importance by a weighted search.
extension LegacyQuants {
  static func encodeQ4_0(_ values: BlockInput, _ importance: BlockImportance?, _ block: BlockBytes) {
    encodeSymmetric(values, importance, half: 8) { scale, codes in
      block.putHalf(scale, 0)
      packNibbles(codes, block, 2)
    }
  }

  static func encodeQ5_0(_ values: BlockInput, _ importance: BlockImportance?, _ block: BlockBytes) {
    encodeSymmetric(values, importance, half: 16) { scale, codes in
      block.putHalf(scale, 0)
      packFifthBits(codes, block, 2)
      packNibbles(codes, block, 6)
    }
  }

  static func encodeQ4_1(_ values: BlockInput, _ importance: BlockImportance?, _ block: BlockBytes) {
    encodeAffine(values, importance, largest: 15) { scale, minimum, codes in
      block.putHalf(scale, 0)
      block.putHalf(minimum, 2)
      packNibbles(codes, block, 4)
    }
  }

  static func encodeQ5_1(_ values: BlockInput, _ importance: BlockImportance?, _ block: BlockBytes) {
    encodeAffine(values, importance, largest: 31) { scale, minimum, codes in
      block.putHalf(scale, 0)
      block.putHalf(minimum, 2)
      packFifthBits(codes, block, 4)
      packNibbles(codes, block, 8)
    }
  }

  /// Codes are rounded by the F32 scale, before it is rounded to F16. Importance is not used.
  static func encodeQ8_0(_ values: BlockInput, _ importance: BlockImportance?, _ block: BlockBytes) {
    encodeQ8_0(values, scale: values.peak.magnitude / 127, block)
  }

  static func encodeQ8_0(_ values: BlockInput, scale: Float, _ block: BlockBytes) {
    let inverse = Rounding.reciprocal(scale)
    block.putHalf(scale, 0)
    for index in 0..<elements {
      block[2 + index] = UInt8(truncatingIfNeeded: Rounding.awayFromZero(values[index] * inverse))
    }
  }

  /// The element of largest magnitude becomes code 0, -`half` scales.
  private static func encodeSymmetric(
    _ values: BlockInput, _ importance: BlockImportance?, half: Int32, put: (Float, BlockCodes) -> Void
  ) {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: elements) { codes in
      if let importance {
        withWeights(values, importance) { weights in
          put(SymmetricFit(half: half).fit(values, weights, codes), codes)
        }
        return
      }
      let scale = values.peak / -Float(half)
      let inverse = Rounding.reciprocal(scale)
      for index in 0..<elements {
        codes[index] = truncated(values[index] * inverse + (Float(half) + 0.5), largest: 2 * half - 1)
      }
      put(scale, codes)
    }
  }

  /// The smallest element becomes code 0, the largest `largest`.
  private static func encodeAffine(
    _ values: BlockInput, _ importance: BlockImportance?, largest: Int32, put: (Float, Float, BlockCodes) -> Void
  ) {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: elements) { codes in
      if let importance {
        withWeights(values, importance) { weights in
          let fit = AffineFit.weighted(largest: largest).fit(values, weights, codes)
          put(fit.scale, -fit.depth, codes)
        }
        return
      }
      var (low, high) = (Float.greatestFiniteMagnitude, -Float.greatestFiniteMagnitude)
      for value in values {
        if value < low { low = value }
        if value > high { high = value }
      }
      let scale = (high - low) / Float(largest)
      let inverse = Rounding.reciprocal(scale)
      for index in 0..<elements { codes[index] = truncated((values[index] - low) * inverse + 0.5, largest: largest) }
      put(scale, low, codes)
    }
  }

  private static func truncated(_ value: Float, largest: Int32) -> UInt8 {
    UInt8(truncatingIfNeeded: min(largest, Int32(Int8(truncatingIfNeeded: Rounding.truncated(value)))))
  }

  private static func withWeights(
    _ values: BlockInput, _ importance: BlockImportance, _ body: (UnsafeBufferPointer<Float>) -> Void
  ) {
    withUnsafeTemporaryAllocation(of: Float.self, capacity: elements) { weights in
      importance.fill(weights, values, energy: importance.rowEnergy)
      body(UnsafeBufferPointer(weights))
    }
  }

  /// Element j low, j + 16 high.
  static func packNibbles(_ codes: BlockCodes, _ block: BlockBytes, _ offset: Int) {
    for index in 0..<16 { block[offset + index] = codes[index] & 15 | codes[index + 16] << 4 }
  }

  private static func packFifthBits(_ codes: BlockCodes, _ block: BlockBytes, _ offset: Int) {
    var bits: UInt32 = 0
    for index in 0..<elements { bits |= UInt32(codes[index] >> 4 & 1) << UInt32(index) }
    block.storeBytes(of: bits.littleEndian, toByteOffset: offset, as: UInt32.self)
  }
}

extension BlockImportance {
  /// Weights of a search: importance * sqrt(energy + x^2).
  func fill(_ weights: UnsafeMutableBufferPointer<Float>, _ values: BlockInput, energy: Float, from start: Int = 0) {
    for index in weights.indices {
      weights[index] = self.weights[start + index] * (energy + values[index] * values[index]).squareRoot()
    }
  }
}
