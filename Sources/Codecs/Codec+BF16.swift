import CKernels

extension Codec {
  public func decodeBF16(
    _ input: EncodedSpan, into output: UnsafeMutableBufferPointer<UInt16>
  ) throws(CodecError) {
    try decodeBF16ThroughF32(input, into: output)
  }

  /// Decodes tiles to F32 and rounds them.
  func decodeBF16ThroughF32(
    _ input: EncodedSpan, into output: UnsafeMutableBufferPointer<UInt16>
  ) throws(CodecError) {
    try checkPlanes(input, room: output.count)
    let tile = tileElements(input)
    let floats = UnsafeMutableBufferPointer<Float>.allocate(capacity: min(tile, input.elements))
    defer { floats.deallocate() }
    for start in stride(from: 0, to: input.elements, by: tile) {
      let count = min(tile, input.elements - start)
      try decode(part(of: input, start: start, elements: count), into: floats)
      if let target = output.baseAddress { bale_f32_to_bf16(floats.baseAddress, target + start, count) }
    }
  }

  /// Elements of F32 that stay in the second-level cache, in whole units of the alignment; all of a span that can't
  /// be cut because the bytes of its parts are not known.
  private func tileElements(_ input: EncodedSpan) -> Int {
    guard !planes.contains(where: { $0.extent == .variable }) else { return max(input.elements, 1) }
    let unit = alignment(columns: input.columns)
    return unit * max(1, 32768 / unit)
  }

  private func part(of input: EncodedSpan, start: Int, elements: Int) -> EncodedSpan {
    guard elements < input.elements else { return input }
    let parts = planes.indices.map { plane in
      guard planes[plane].extent == .perSpan else { return input.planes[plane] }
      let offset = bytes(plane: plane, elements: start, columns: input.columns)
      let size = bytes(plane: plane, elements: elements, columns: input.columns)
      return UnsafeRawBufferPointer(rebasing: input.planes[plane][offset..<offset + size])
    }
    return EncodedSpan(planes: parts, elements: elements, columns: input.columns)
  }
}
