import CKernels
import Tensors

extension NVFP4Codec {
  public func decodeReference(
    _ input: EncodedSpan, into output: UnsafeMutableBufferPointer<Float>
  ) throws(CodecError) {
    try checkPlanes(input, room: output.count)
    let (values, scales) = (values, try checkedScales(input))
    for row in layout.eachRow(elements: input.elements, columns: input.columns) {
      let codes = UnsafeRawBufferPointer(rebasing: input.planes[0][row.codes])
      for index in 0..<row.elements.count {
        let scale = scales[Int(input.planes[1][row.groups.lowerBound + index / Self.block])]
        output[row.elements.lowerBound + index] = values[Int(layout.code(index, in: codes))] * scale
      }
    }
  }

  public func decode(_ input: EncodedSpan, into output: UnsafeMutableBufferPointer<Float>) throws(CodecError) {
    try decodeRows(input, room: output.count) { table, scalesOf, codes, scales, elements in
      guard let target = output.baseAddress else { return }
      bale_nvfp4_decode(table, scalesOf, codes, scales, elements.count, target + elements.lowerBound)
    }
  }

  public func decodeBF16(_ input: EncodedSpan, into output: UnsafeMutableBufferPointer<UInt16>) throws(CodecError) {
    try decodeRows(input, room: output.count) { table, scalesOf, codes, scales, elements in
      guard let target = output.baseAddress else { return }
      bale_nvfp4_decode_bf16(table, scalesOf, codes, scales, elements.count, target + elements.lowerBound)
    }
  }

  private typealias RowKernel = (
    UnsafePointer<Float>, UnsafePointer<Float>, UnsafePointer<UInt8>, UnsafePointer<UInt8>, Range<Int>
  ) -> Void

  /// Runs a kernel on each row: the values of codes, the scales of scale bytes, the row's codes and scale bytes, and
  /// its elements.
  private func decodeRows(_ input: EncodedSpan, room: Int, _ kernel: RowKernel) throws(CodecError) {
    try checkPlanes(input, room: room)
    let tables = values + (try checkedScales(input))
    guard let codes = input.planes[0].baseAddress, let scales = input.planes[1].baseAddress else { return }
    tables.withUnsafeBufferPointer { tables in
      guard let table = tables.baseAddress else { return }
      for row in layout.eachRow(elements: input.elements, columns: input.columns) {
        kernel(
          table, table + 16, (codes + row.codes.lowerBound).assumingMemoryBound(to: UInt8.self),
          (scales + row.groups.lowerBound).assumingMemoryBound(to: UInt8.self), row.elements)
      }
    }
  }

  /// The scale of every byte. Throws if a byte of the span is NaN, or the factor gives scales that are not finite.
  private func checkedScales(_ input: EncodedSpan) throws(CodecError) -> [Float] {
    if let offset = input.planes[1].firstIndex(where: { $0 & 0x7F == 0x7F }) {
      throw .value(codec: "\(descriptor)", plane: .scales, offset: offset, reason: "the scale is NaN")
    }
    let scales = scales(factor: global == .none ? 1 : ScalarFloat.f32.load(input.planes[2], 0))
    guard scales[0x7E].isFinite, scales[0].isFinite else {
      throw .value(
        codec: "\(descriptor)", plane: .table, offset: 0, reason: "the factor of the tensor gives infinite scales")
    }
    return scales
  }
}
