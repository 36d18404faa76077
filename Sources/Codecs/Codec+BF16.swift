extension Codec {
  public func decodeBF16(
    _ input: EncodedSpan, into output: UnsafeMutableBufferPointer<UInt16>
  ) throws(CodecError) {
    try checkPlanes(input, room: output.count)
    let tile = tileElements(input)
    let floats = UnsafeMutableBufferPointer<Float>.allocate(capacity: min(tile, input.elements))
    defer { floats.deallocate() }
    for start in stride(from: 0, to: input.elements, by: tile) {
      let count = min(tile, input.elements - start)
      try decode(part(of: input, start: start, elements: count), into: floats)
      for index in 0..<count { output[start + index] = floats[index].roundedToBF16 }
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

extension Float {
  /// The bits of the nearest BF16, ties to even. NaN stays NaN, with its sign.
  var roundedToBF16: UInt16 {
    if isNaN { return UInt16(truncatingIfNeeded: bitPattern >> 16) | 0x0040 }
    let odd = (bitPattern >> 16) & 1
    return UInt16(truncatingIfNeeded: (bitPattern &+ 0x7FFF &+ odd) >> 16)
  }
}
