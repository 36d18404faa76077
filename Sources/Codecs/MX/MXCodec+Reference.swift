extension MXCodec {
  public func decodeReference(
    _ input: EncodedSpan, into output: UnsafeMutableBufferPointer<Float>
  ) throws(CodecError) {
    try checkPlanes(input, room: output.count)
    try checkScales(input.planes[1])
    let values = element.values
    for row in layout.eachRow(elements: input.elements, columns: input.columns) {
      let codes = UnsafeRawBufferPointer(rebasing: input.planes[0][row.codes])
      for index in 0..<row.elements.count {
        let scale = Self.scale(input.planes[1][row.groups.lowerBound + index / Self.block])
        output[row.elements.lowerBound + index] = values[Int(layout.code(index, in: codes))] * scale
      }
    }
  }

  /// 2^(byte - 127).
  static func scale(_ byte: UInt8) -> Float { Float(sign: .plus, exponent: Int(byte) - 127, significand: 1) }

  /// The plain form of `encode`, equal to it byte for byte.
  public func encodeReference(
    _ values: UnsafeBufferPointer<Float>, columns: Int, rule: ScaleRule,
    into planes: [UnsafeMutableRawBufferPointer]
  ) throws(CodecError) {
    try checkPlanes(planes, elements: values.count, columns: columns)
    planes[0].initializeMemory(as: UInt8.self, repeating: 0)
    for row in layout.eachRow(elements: values.count, columns: columns) {
      let codes = UnsafeMutableRawBufferPointer(rebasing: planes[0][row.codes])
      for (block, group) in row.groups.enumerated() {
        let start = row.elements.lowerBound + block * Self.block
        let end = min(start + Self.block, row.elements.upperBound)
        let scale = try scaleByte(values, start..<end, rule: rule)
        planes[1][group] = scale
        for index in start..<end {
          layout.put(code(values[index], scale: scale), at: index - row.elements.lowerBound, in: codes)
        }
      }
    }
  }

  private func code(_ value: Float, scale: UInt8) -> UInt8 {
    let sign: UInt8 = value.sign == .minus ? 1 << (element.bits - 1) : 0
    return sign | element.nearestCode(value.magnitude * Self.inverse(scale))
  }

  /// 2^(127 - byte).
  private static func inverse(_ byte: UInt8) -> Float {
    Float(sign: .plus, exponent: 127 - Int(byte), significand: 1)
  }

  private func scaleByte(
    _ values: UnsafeBufferPointer<Float>, _ block: Range<Int>, rule: ScaleRule
  ) throws(CodecError) -> UInt8 {
    var largest: Float = 0
    for index in block {
      guard values[index].isFinite else { throw unencodable(values, index) }
      largest = max(largest, values[index].magnitude)
    }
    guard let byte = scaleByte(largest: largest, rule: rule) else {
      throw .rule(codec: "\(descriptor)", rule: rule)
    }
    return rule == .search ? bestScale(values, block, floor: byte) : byte
  }

  /// The scale of a block by its largest magnitude; for `search` the middle one of the three. Nil for a rule that MX
  /// doesn't have. The exponent field of the F32 is floor(log2) + 127, or 0 below the normal range, where every rule
  /// gives the smallest scale.
  func scaleByte(largest: Float, rule: ScaleRule) -> UInt8? {
    let bits = largest.bitPattern
    let mantissa = element.largest.significandBitPattern
    let exponent: UInt32
    switch rule {
    case .floor, .search: exponent = bits >> 23
    case .even: exponent = (bits + (1 << UInt32(22 - element.mantissaBits))) >> 23
    case .ceil: exponent = (bits >> 23) + (bits & 0x7F_FFFF > mantissa ? 1 : 0)
    case .absmax, .range, .compatible: return nil
    }
    return UInt8(max(0, Int(exponent) - element.largestExponent))
  }

  /// The one of floor - 1, floor and floor + 1 with the least squared error, the smaller at a tie.
  private func bestScale(
    _ values: UnsafeBufferPointer<Float>, _ block: Range<Int>, floor: UInt8
  ) -> UInt8 {
    var best = (error: Float.infinity, scale: floor)
    for (scale, weight) in [(Int(floor) - 1, Float(0.25)), (Int(floor), 1), (Int(floor) + 1, 4)] where scale >= 0 {
      let scale = UInt8(scale)
      let error = squaredError(values, block, scale: scale) * weight
      if error < best.error { best = (error, scale) }
    }
    return best.scale
  }

  /// Sum of squared errors in units of the scale, in F32: eight partial sums over every eighth element, then
  /// ((0 + 4) + (2 + 6)) + ((1 + 5) + (3 + 7)).
  private func squaredError(
    _ values: UnsafeBufferPointer<Float>, _ block: Range<Int>, scale: UInt8
  ) -> Float {
    var sums = LaneSums()
    for index in block {
      let magnitude = values[index].magnitude * Self.inverse(scale)
      let difference = element.rounded(magnitude) - magnitude
      sums.add(difference * difference, lane: index - block.lowerBound)
    }
    return sums.total
  }
}
