extension IntegerCodec {
  public func decodeReference(
    _ input: EncodedSpan, into output: UnsafeMutableBufferPointer<Float>
  ) throws(CodecError) {
    try checkPlanes(input, room: output.count)
    try checkTerms(input)
    let layout = layout(columns: input.columns)
    let reader = TermReader(self, input.planes)
    let columns = grouping == .column ? (0..<input.columns).map { reader.terms(group: $0, superblock: 0) } : []
    for row in layout.eachRow(elements: input.elements, columns: input.columns) {
      let codes = UnsafeRawBufferPointer(rebasing: input.planes[0][row.codes])
      for index in 0..<row.elements.count {
        let group = index / layout.group
        let terms =
          grouping == .column
          ? columns[index % input.columns]
          : reader.terms(
            group: row.groups.lowerBound + group,
            superblock: row.superblocks.lowerBound + group / layout.superblock)
        output[row.elements.lowerBound + index] = value(layout.code(index, in: codes), terms)
      }
    }
  }

  /// Each operation rounded to F32: a multiplication, and for a bias an addition after it.
  private func value(_ code: UInt8, _ terms: GroupTerms) -> Float {
    switch zero {
    case .none: Float(Int8(truncatingIfNeeded: Int(code) << (8 - bits)) >> Int8(8 - bits)) * terms.scale
    case .code: (Float(code) - terms.zero) * terms.scale
    case .bias: Float(code) * terms.scale + terms.bias
    }
  }

  /// Throws if a scale, an offset or a bias is not finite.
  func checkTerms(_ input: EncodedSpan) throws(CodecError) {
    for (plane, bytes) in zip(planes, input.planes) {
      let type: ScalarFloat
      switch (plane.role, scale, zero) {
      case (.scales, .float(let float), _): type = float
      case (.zeroPoints, _, .bias(let float)): type = float
      case (.secondLevel, _, _): type = .f32
      default: continue
      }
      for index in 0..<bytes.count / type.bytes where !type.load(bytes, index).isFinite {
        throw notFinite(plane.role, index * type.bytes)
      }
      if plane.role == .secondLevel { try checkSecondLevel(bytes) }
    }
  }

  /// Throws if the largest scale of a superblock overflows.
  private func checkSecondLevel(_ plane: UnsafeRawBufferPointer) throws(CodecError) {
    for index in stride(from: 0, to: plane.count / 4, by: 2) {
      let largest = 255 * ScalarFloat.f32.load(plane, index) + ScalarFloat.f32.load(plane, index + 1)
      guard largest.isFinite else { throw notFinite(.secondLevel, index * 4) }
    }
  }

  private func notFinite(_ plane: PlaneRole, _ offset: Int) -> CodecError {
    .value(codec: "\(descriptor)", plane: plane, offset: offset, reason: "it gives a scale that is not finite")
  }
}
