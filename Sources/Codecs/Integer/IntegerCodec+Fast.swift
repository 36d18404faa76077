import CKernels

extension IntegerCodec {
  public func decode(_ input: EncodedSpan, into output: UnsafeMutableBufferPointer<Float>) throws(CodecError) {
    guard grouping != .column else { return try decodeReference(input, into: output) }
    guard let target = output.baseAddress else { return try checkPlanes(input, room: output.count) }
    try decodeRows(input, room: output.count) { row, elements in
      bale_integer_decode(&row, elements.count, target + elements.lowerBound) != 0
    }
  }

  public func decodeBF16(_ input: EncodedSpan, into output: UnsafeMutableBufferPointer<UInt16>) throws(CodecError) {
    guard grouping != .column else { return try decodeBF16ThroughF32(input, into: output) }
    guard let target = output.baseAddress else { return try checkPlanes(input, room: output.count) }
    try decodeRows(input, room: output.count) { row, elements in
      bale_integer_decode_bf16(&row, elements.count, target + elements.lowerBound) != 0
    }
  }

  /// Runs a kernel on each row; it returns false where it found terms that are not finite.
  private func decodeRows(
    _ input: EncodedSpan, room: Int, _ kernel: (inout bale_integer_row, Range<Int>) -> Bool
  ) throws(CodecError) {
    try checkPlanes(input, room: room)
    let layout = layout(columns: input.columns)
    for row in layout.eachRow(elements: input.elements, columns: input.columns) {
      var kernelRow = kernelRow(row, layout, input.planes)
      guard kernel(&kernelRow, row.elements) else { return try checkTerms(input) }
    }
  }

  private func kernelRow(
    _ row: PackedRows.Row, _ layout: PackedRows, _ planes: [UnsafeRawBufferPointer]
  ) -> bale_integer_row {
    bale_integer_row(
      bits: UInt32(bits), zero: kernelZero, scale: kernelScale, bias: kernelBias, group: layout.group,
      superblock: layout.superblock, codes: planes[0].baseAddress.map { $0 + row.codes.lowerBound },
      scales: planes[1].baseAddress.map { $0 + row.groups.lowerBound * scaleBytes },
      zeros: zero == .none ? nil : planes[2].baseAddress.map { $0 + row.groups.lowerBound * zeroBytes },
      second: planes.last?.baseAddress.map { $0 + row.superblocks.lowerBound * 8 })
  }

  var kernelZero: bale_zero {
    switch zero {
    case .none: BALE_SYMMETRIC
    case .code: BALE_ZERO_POINT
    case .bias: BALE_BIAS
    }
  }

  var kernelScale: bale_scalar { if case .float(let type) = scale { type.kernelType } else { BALE_BYTE } }

  var kernelBias: bale_scalar { if case .bias(let type) = zero { type.kernelType } else { BALE_BYTE } }

  /// The plain form of `encode` for scales by group or row, equal to it byte for byte.
  public func encodeReference(
    _ values: UnsafeBufferPointer<Float>, columns: Int, rule: ScaleRule,
    into planes: [UnsafeMutableRawBufferPointer]
  ) throws(CodecError) {
    guard grouping != .column else { return try encode(values, columns: columns, rule: rule, into: planes) }
    try IntegerEncoder<PlainGroupKernel>(self, values, columns: columns, rule: rule, into: planes)
      .encode(columns: columns)
  }
}

extension ScalarFloat {
  /// The type as the kernels in C name it.
  var kernelType: bale_scalar {
    switch self {
    case .f16: BALE_F16
    case .bf16: BALE_BF16
    case .f32: BALE_F32
    }
  }
}
