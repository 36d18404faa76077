import CKernels

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

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
    try decodeBlocks(input, room: output.count) { table, scales, codes, elements in
      guard let target = output.baseAddress else { return }
      bale_table4_decode(table, scales, block, codes, elements.count, target + elements.lowerBound)
    }
  }

  public func decodeBF16(_ input: EncodedSpan, into output: UnsafeMutableBufferPointer<UInt16>) throws(CodecError) {
    try decodeBlocks(input, room: output.count) { table, scales, codes, elements in
      guard let target = output.baseAddress else { return }
      bale_table4_decode_bf16(table, scales, block, codes, elements.count, target + elements.lowerBound)
    }
  }

  /// Runs a kernel on some blocks at a time: the table, their scales, their codes and their elements.
  private func decodeBlocks(
    _ input: EncodedSpan, room: Int,
    _ kernel: (UnsafePointer<Float>, UnsafePointer<Float>, UnsafePointer<UInt8>, Range<Int>) -> Void
  ) throws(CodecError) {
    try checkPlanes(input, room: room)
    guard let codes = input.planes[0].baseAddress?.assumingMemoryBound(to: UInt8.self) else { return }
    let tables = UnsafeMutableBufferPointer<Float>.allocate(capacity: 16 + Self.mapSize + Self.batch)
    defer { tables.deallocate() }
    guard let table = tables.baseAddress else { return }
    _ = tables.update(fromContentsOf: self.table.values)
    let (map, scales) = (table + 16, table + 16 + Self.mapSize)
    if second != nil { for index in 0..<Self.mapSize { map[index] = ScalarFloat.f32.load(input.planes[3], index) } }
    let blocks = input.elements.dividedRoundingUp(by: block)
    var first = 0
    while first < blocks {
      let run = first..<min(first + Self.batch, blocks, second.map { (first / $0 + 1) * $0 } ?? .max)
      try loadScales(run, input.planes, map: map, into: scales)
      let elements = first * block..<min(run.upperBound * block, input.elements)
      kernel(table, scales, codes + elements.lowerBound / 2, elements)
      first = run.upperBound
    }
  }

  /// Blocks whose scales are made at once.
  private static let batch = 256

  /// The scales of blocks that share a second-level scale.
  private func loadScales(
    _ blocks: Range<Int>, _ planes: [UnsafeRawBufferPointer], map: UnsafePointer<Float>,
    into scales: UnsafeMutablePointer<Float>
  ) throws(CodecError) {
    if let second, let bytes = planes[1].baseAddress?.assumingMemoryBound(to: UInt8.self) {
      let step = ScalarFloat.f32.load(planes[2], blocks.lowerBound / second)
      let offset = ScalarFloat.f32.load(planes[3], Self.mapSize)
      if bale_table4_scales(map, bytes + blocks.lowerBound, step, offset, blocks.count, scales) != 0 { return }
    }
    if second == nil, let plane = planes[1].baseAddress {
      memcpy(scales, plane + blocks.lowerBound * 4, blocks.count * 4)
      if bale_largest_magnitude(scales, blocks.count).isFinite { return }
    }
    // One by one: what names the one that isn't finite.
    for index in blocks { scales[index - blocks.lowerBound] = try scale(index, planes) }
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
