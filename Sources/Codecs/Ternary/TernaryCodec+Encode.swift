extension TernaryCodec {
  /// Encodes by `.search`, the scale of the least squared error, or `.absmax`. Throws `CodecError.unencodable` for
  /// NaN, infinity, and magnitudes whose scale the scale's type can't hold.
  public func encode(
    _ values: UnsafeBufferPointer<Float>, columns: Int, rule: ScaleRule,
    into planes: [UnsafeMutableRawBufferPointer]
  ) throws(CodecError) {
    guard rule == .search || rule == .absmax else { throw .rule(codec: "ternary", rule: rule) }
    try checkPlanes(planes, elements: values.count, columns: columns)
    if let element = values.firstIndex(where: { !$0.isFinite }) {
      throw .unencodable(codec: "ternary", element: element, value: values[element])
    }
    let groupBytes = bytes(plane: 0, elements: group, columns: columns)
    for (index, start) in stride(from: 0, to: values.count, by: group).enumerated() {
      let part = UnsafeBufferPointer(rebasing: values[start..<min(start + group, values.count)])
      let value = scale.rounded(rule == .absmax ? largest(part) : leastSquaresScale(part))
      guard value.isFinite else { throw .unencodable(codec: "ternary", element: start, value: largest(part)) }
      scale.store(value, planes[1], index)
      pack(part, scale: value, into: planes[0], offset: index * groupBytes)
    }
  }

  private func largest(_ values: UnsafeBufferPointer<Float>) -> Float {
    values.reduce(0) { max($0, abs($1)) }
  }

  /// With the k largest magnitudes coded as one, the best scale is their mean and the squared error falls by their
  /// sum squared over k: the best k is found by trying all.
  private func leastSquaresScale(_ values: UnsafeBufferPointer<Float>) -> Float {
    var sum = 0.0
    var best = (gain: 0.0, scale: Float(0))
    for (index, magnitude) in values.map({ abs($0) }).sorted(by: >).enumerated() {
      sum += Double(magnitude)
      let gain = sum * sum / Double(index + 1)
      if gain > best.gain { best = (gain, Float(sum / Double(index + 1))) }
    }
    return best.scale
  }

  private func pack(
    _ values: UnsafeBufferPointer<Float>, scale: Float, into codes: UnsafeMutableRawBufferPointer, offset: Int
  ) {
    let perByte = packing.codesPerByte
    for start in stride(from: 0, to: values.count, by: perByte) {
      var byte: UInt8 = 0
      for place in 0..<min(perByte, values.count - start) {
        let value = values[start + place]
        let code = abs(value) > scale / 2 ? (value > 0 ? 1 : -1) : 0
        byte += packing.bits(scale == 0 ? 0 : code, place)
      }
      codes[offset + start / perByte] = byte
    }
  }
}
