import CKernels

extension MXCodec {
  public func decode(_ input: EncodedSpan, into output: UnsafeMutableBufferPointer<Float>) throws(CodecError) {
    try decodeRows(input, room: output.count) { table, codes, scales, elements in
      guard let target = output.baseAddress else { return }
      bale_mx_decode(table, UInt32(element.bits), codes, scales, elements.count, target + elements.lowerBound)
    }
  }

  public func decodeBF16(_ input: EncodedSpan, into output: UnsafeMutableBufferPointer<UInt16>) throws(CodecError) {
    try decodeRows(input, room: output.count) { table, codes, scales, elements in
      guard let target = output.baseAddress else { return }
      bale_mx_decode_bf16(table, UInt32(element.bits), codes, scales, elements.count, target + elements.lowerBound)
    }
  }

  /// Runs a kernel on each row: the table of values, the row's codes and scales, and its elements.
  private func decodeRows(
    _ input: EncodedSpan, room: Int,
    _ kernel: (UnsafePointer<Float>, UnsafePointer<UInt8>, UnsafePointer<UInt8>, Range<Int>) -> Void
  ) throws(CodecError) {
    try checkPlanes(input, room: room)
    try checkScales(input.planes[1])
    guard let codes = input.planes[0].baseAddress, let scales = input.planes[1].baseAddress else { return }
    element.values.withUnsafeBufferPointer { table in
      guard let table = table.baseAddress else { return }
      for row in layout.eachRow(elements: input.elements, columns: input.columns) {
        kernel(
          table, (codes + row.codes.lowerBound).assumingMemoryBound(to: UInt8.self),
          (scales + row.groups.lowerBound).assumingMemoryBound(to: UInt8.self), row.elements)
      }
    }
  }

  public func encode(
    _ values: UnsafeBufferPointer<Float>, columns: Int, rule: ScaleRule,
    into planes: [UnsafeMutableRawBufferPointer]
  ) throws(CodecError) {
    try checkPlanes(planes, elements: values.count, columns: columns)
    let kernelRule = try kernelRule(rule)
    guard let source = values.baseAddress, let codes = planes[0].baseAddress, let scales = planes[1].baseAddress
    else { return }
    for row in layout.eachRow(elements: values.count, columns: columns) {
      let start = row.elements.lowerBound
      let done = bale_mx_encode(
        kernelElement, kernelRule, source + start, row.elements.count,
        (codes + row.codes.lowerBound).assumingMemoryBound(to: UInt8.self),
        (scales + row.groups.lowerBound).assumingMemoryBound(to: UInt8.self))
      guard done == row.elements.count else { throw unencodable(values, from: start + done) }
    }
  }

  private var kernelElement: bale_mx_element {
    bale_mx_element(
      bits: UInt32(element.bits), mantissa_bits: UInt32(element.mantissaBits),
      smallest_exponent: Int32(element.smallestExponent), largest_exponent: Int32(element.largestExponent),
      largest: element.largest)
  }

  private func kernelRule(_ rule: ScaleRule) throws(CodecError) -> bale_mx_rule {
    switch rule {
    case .search: BALE_MX_SEARCH
    case .floor: BALE_MX_FLOOR
    case .even: BALE_MX_EVEN
    case .ceil: BALE_MX_CEIL
    case .absmax, .range, .compatible: throw .rule(codec: "\(descriptor)", rule: rule)
    }
  }
}
