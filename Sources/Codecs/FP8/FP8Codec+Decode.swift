import CKernels
import Tensors

extension FP8Codec {
  public func decodeReference(
    _ input: EncodedSpan, into output: UnsafeMutableBufferPointer<Float>
  ) throws(CodecError) {
    try checkPlanes(input, room: output.count)
    try checkScales(input.planes[1])
    let values = Elements.table(element.dtype)
    let across = columns.blocks(input.columns)
    for index in 0..<input.elements {
      let row = input.columns > 0 ? index / input.columns : 0
      let column = input.columns > 0 ? index % input.columns : 0
      let down = rows == .all ? 0 : row / rows.extent(0)
      let scale = scale.load(input.planes[1], down * across + column / columns.extent(input.columns))
      output[index] = values[Int(input.planes[0][index])] * scale
    }
  }

  public func decode(_ input: EncodedSpan, into output: UnsafeMutableBufferPointer<Float>) throws(CodecError) {
    try decodeRuns(input, room: output.count) { table, scale, codes, elements in
      guard let target = output.baseAddress else { return }
      bale_fp8_decode(
        table, kernelKind, scale, codes, elements.count, target + elements.lowerBound)
    }
  }

  public func decodeBF16(_ input: EncodedSpan, into output: UnsafeMutableBufferPointer<UInt16>) throws(CodecError) {
    try decodeRuns(input, room: output.count) { table, scale, codes, elements in
      guard let target = output.baseAddress else { return }
      bale_fp8_decode_bf16(
        table, kernelKind, scale, codes, elements.count, target + elements.lowerBound)
    }
  }

  private var kernelKind: bale_fp8 {
    switch element {
    case .e4m3: BALE_E4M3
    case .e5m2: BALE_E5M2
    case .e4m3fnuz, .e5m2fnuz: BALE_OTHER_FP8
    }
  }

  /// Runs a kernel on each run of elements of one scale: the table of values, the scale, the codes and the elements.
  private func decodeRuns(
    _ input: EncodedSpan, room: Int,
    _ kernel: (UnsafePointer<Float>, Float, UnsafePointer<UInt8>, Range<Int>) -> Void
  ) throws(CodecError) {
    try checkPlanes(input, room: room)
    try checkScales(input.planes[1])
    guard let codes = input.planes[0].baseAddress?.assumingMemoryBound(to: UInt8.self) else { return }
    Elements.table(element.dtype).withUnsafeBufferPointer { table in
      guard let table = table.baseAddress else { return }
      eachRun(elements: input.elements, columns: input.columns) { run, index in
        kernel(table, scale.load(input.planes[1], index), codes + run.lowerBound, run)
      }
    }
  }

  /// Runs of a span, in order, each with the index of its scale.
  func eachRun<E: Error>(
    elements: Int, columns: Int, _ body: (Range<Int>, Int) throws(E) -> Void
  ) throws(E) {
    if rows == .all, self.columns == .all || columns == 0 { return try body(0..<elements, 0) }
    guard columns > 0 else { return }
    let (across, width) = (self.columns.blocks(columns), self.columns.extent(columns))
    for start in stride(from: 0, to: elements, by: columns) {
      let down = rows == .all ? 0 : start / columns / rows.extent(0)
      for block in 0..<across {
        try body(start + block * width..<start + min((block + 1) * width, columns), down * across + block)
      }
    }
  }

  /// Throws if a scale is not finite.
  private func checkScales(_ plane: UnsafeRawBufferPointer) throws(CodecError) {
    for index in 0..<plane.count / scale.bytes where !scale.load(plane, index).isFinite {
      throw .value(
        codec: "\(descriptor)", plane: .scales, offset: index * scale.bytes, reason: "the scale is not finite")
    }
  }
}
