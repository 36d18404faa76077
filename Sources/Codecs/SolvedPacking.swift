import ByteIO

/// Stores codes and scales that a solver chose, exactly as they are. Arrays are row-major, `scales` and `zeros` with
/// a row of groups for each row of codes; each function throws `CodecError.shape` if their sizes don't fit.

extension PackedRows {
  /// The codes of whole rows, each of which starts on a byte.
  fileprivate func pack(_ codes: [UInt8], columns: Int) -> [UInt8] {
    let bytes = codeBytes(length: columns)
    let mask = UInt8(truncatingIfNeeded: (1 << bits) - 1)
    let rows = columns == 0 ? 0 : codes.count / columns
    var packed = [UInt8](repeating: 0, count: rows * bytes)
    packed.withUnsafeMutableBytes { packed in
      for row in 0..<rows {
        let target = UnsafeMutableRawBufferPointer(rebasing: packed[row * bytes..<(row + 1) * bytes])
        for column in 0..<columns { put(codes[row * columns + column] & mask, at: column, in: target) }
      }
    }
    return packed
  }
}

private func checkSizes(
  _ codec: any Codec, codes: Int, scales: Int, columns: Int, group: Int
) throws(CodecError) {
  guard columns > 0, group > 0, codes % columns == 0,
    scales == codes / columns * columns.dividedRoundingUp(by: group)
  else {
    throw .shape(codec: "\(codec.descriptor)", shape: [codes, columns], reason: "\(scales) scales don't fit the codes")
  }
}

extension ScalarFloat {
  fileprivate func pack(_ values: [Float]) -> [UInt8] {
    var packed = [UInt8](repeating: 0, count: values.count * bytes)
    packed.withUnsafeMutableBytes { for (index, value) in values.enumerated() { store(value, $0, index) } }
    return packed
  }
}

extension IntegerCodec {
  /// The planes of codes (two's complement where they are signed) with their scales, and with their zero points or
  /// biases if the codec has these. Groups are elements of a row or whole rows, and scales floats.
  public func pack(codes: [UInt8], scales: [Float], zeros: [Float], columns: Int) throws(CodecError) -> [[UInt8]] {
    guard case .float(let type) = scale, grouping != .column else {
      throw .descriptor("\(descriptor)", reason: "chosen scales can't be stored by column or in two levels")
    }
    let layout = layout(columns: columns)
    try checkSizes(self, codes: codes.count, scales: scales.count, columns: columns, group: layout.group)
    let planes = [layout.pack(codes, columns: columns), type.pack(scales)]
    switch zero {
    case .none: return planes
    case .code: return planes + [zeros.map { UInt8(min(max($0, 0), 255)) }]
    case .bias(let type): return planes + [type.pack(zeros)]
    }
  }

  /// The scale that is stored for this one, with its sign: not 0, and the largest one where it overflows.
  public func storedScale(_ scale: Float) -> Float {
    guard let magnitude = storable(Double(abs(scale))) else { return scale < 0 ? -largestScale : largestScale }
    return scale < 0 ? -magnitude : magnitude
  }

  private var largestScale: Float {
    if case .float(.f16) = scale { Half.largest } else { 0x1.FEp127 }
  }
}

extension MXCodec {
  /// The planes of codes with their scales, which are powers of two.
  public func pack(codes: [UInt8], scales: [Float], columns: Int) throws(CodecError) -> [[UInt8]] {
    try checkSizes(self, codes: codes.count, scales: scales.count, columns: columns, group: Self.block)
    var bytes: [UInt8] = []
    for (index, scale) in scales.enumerated() {
      guard scale.significand == 1, (-127...127).contains(scale.exponent) else {
        throw .unencodable(codec: "\(descriptor)", element: index * Self.block, value: scale)
      }
      bytes.append(UInt8(Int(scale.exponent) + 127))
    }
    return [layout.pack(codes, columns: columns), bytes]
  }
}

extension NormalFloatCodec {
  /// The planes of codes with F32 scales. Rows are made of whole blocks.
  public func pack(codes: [UInt8], scales: [Float], columns: Int) throws(CodecError) -> [[UInt8]] {
    try checkSizes(self, codes: codes.count, scales: scales.count, columns: columns, group: block)
    guard second == nil, columns % block == 0 else {
      throw .descriptor("\(descriptor)", reason: "chosen scales are stored as F32, for rows of whole blocks")
    }
    var bytes = [UInt8](repeating: 0, count: codes.count / 2)
    for (index, code) in codes.enumerated() { bytes[index / 2] |= code << (index % 2 == 0 ? 4 : 0) }
    return [bytes, ScalarFloat.f32.pack(scales)]
  }
}

extension TernaryCodec {
  /// The planes of the codes -1, 0 and 1, in two's complement, with their scales, which are not negative. Rows are
  /// made of whole groups.
  public func pack(codes: [UInt8], scales: [Float], columns: Int) throws(CodecError) -> [[UInt8]] {
    guard columns % group == 0 else {
      throw .shape(codec: "\(descriptor)", shape: [codes.count, columns], reason: "rows should be whole groups")
    }
    try checkSizes(self, codes: codes.count, scales: scales.count, columns: columns, group: group)
    let perByte = packing.codesPerByte
    let groupBytes = bytes(plane: 0, elements: group, columns: columns)
    var packed = [UInt8](repeating: 0, count: scales.count * groupBytes)
    for index in scales.indices {
      for place in 0..<group {
        let code = Int(Int8(truncatingIfNeeded: codes[index * group + place]))
        packed[index * groupBytes + place / perByte] += packing.bits(code, place % perByte)
      }
    }
    return [packed, scale.pack(scales)]
  }
}
