import CKernels

extension NormalFloatCodec {
  public func decodeReference(
    _ input: EncodedSpan, into output: UnsafeMutableBufferPointer<Float>
  ) throws(CodecError) {
    try checkPlanes(input, room: output.count)
    let values = table.values
    for index in 0..<input.elements.dividedRoundingUp(by: block) {
      let scale = try scale(index, input.planes)
      for element in elements(ofBlock: index, of: input.elements) {
        let pair = input.planes[0][element / 2]
        output[element] = values[Int(element % 2 == 0 ? pair >> 4 : pair & 15)] * scale
      }
    }
  }

  public func decode(_ input: EncodedSpan, into output: UnsafeMutableBufferPointer<Float>) throws(CodecError) {
    try decodeBlocks(input, room: output.count) { table, scale, codes, elements in
      guard let target = output.baseAddress else { return }
      bale_table4_decode(table, scale, codes, elements.count, target + elements.lowerBound)
    }
  }

  public func decodeBF16(_ input: EncodedSpan, into output: UnsafeMutableBufferPointer<UInt16>) throws(CodecError) {
    try decodeBlocks(input, room: output.count) { table, scale, codes, elements in
      guard let target = output.baseAddress else { return }
      bale_table4_decode_bf16(table, scale, codes, elements.count, target + elements.lowerBound)
    }
  }

  /// Runs a kernel on each block: the table, its scale, its codes and its elements.
  private func decodeBlocks(
    _ input: EncodedSpan, room: Int,
    _ kernel: (UnsafePointer<Float>, Float, UnsafePointer<UInt8>, Range<Int>) -> Void
  ) throws(CodecError) {
    try checkPlanes(input, room: room)
    guard let codes = input.planes[0].baseAddress?.assumingMemoryBound(to: UInt8.self) else { return }
    let values = table.values
    for index in 0..<input.elements.dividedRoundingUp(by: block) {
      let scale = try scale(index, input.planes)
      let elements = elements(ofBlock: index, of: input.elements)
      values.withUnsafeBufferPointer { table in
        if let table = table.baseAddress { kernel(table, scale, codes + elements.lowerBound / 2, elements) }
      }
    }
  }

  /// The scale of a block. Stored, or map[code] * second-level scale + offset, each operation rounded to F32.
  /// Throws if it isn't finite.
  @inline(__always)
  func scale(_ index: Int, _ planes: [UnsafeRawBufferPointer]) throws(CodecError) -> Float {
    let scale: Float
    if let second {
      let map = ScalarFloat.f32.load(planes[3], Int(planes[1][index]))
      let offset = ScalarFloat.f32.load(planes[3], Self.mapSize)
      scale = map * ScalarFloat.f32.load(planes[2], index / second) + offset
    } else {
      scale = ScalarFloat.f32.load(planes[1], index)
    }
    guard scale.isFinite else {
      throw .value(
        codec: "\(descriptor)", plane: .scales, offset: second == nil ? index * 4 : index,
        reason: "it gives a scale that is not finite")
    }
    return scale
  }
}
