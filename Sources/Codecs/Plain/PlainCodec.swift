import Tensors

/// Values as they are in a plain dtype, little-endian, packed: `plain:dtype=BF16` (specs/codecs/plain.md).
public struct PlainCodec: QuantizingCodec, Hashable {
  public let dtype: DType

  public init(_ dtype: DType) { self.dtype = dtype }

  init(_ reader: inout DescriptorReader) throws(CodecError) {
    dtype = try reader.choice("dtype", default: .f32)
  }

  public var descriptor: CodecDescriptor { CodecDescriptor("plain", ["dtype": dtype.rawValue]) }

  public var planes: [Plane] { [Plane(.codes)] }

  /// Four F6 elements take three bytes; two F4 elements take one.
  public func alignment(columns: Int) -> Int { dtype.bits < 8 ? 4 : 1 }

  public func check(_ shape: Shape) throws(CodecError) {
    guard dtype.bytes(elements: shape.elements) != nil else {
      throw .shape(
        codec: "plain", shape: shape.dimensions, reason: "its \(dtype.rawValue) elements don't end on a byte")
    }
  }

  public func bytes(plane: Int, elements: Int, columns: Int) -> Int { dtype.bytes(elements: elements) ?? 0 }

  /// To F32, rounded once where F32 doesn't hold the value (F64 and wide integers). Throws `CodecError.value` for
  /// C64, which has no F32 form.
  public func decode(_ input: EncodedSpan, into output: UnsafeMutableBufferPointer<Float>) throws(CodecError) {
    let bytes = try plane(input)
    try refusingComplex { () throws(ElementError) in
      try Elements.decode(dtype, bytes, into: UnsafeMutableBufferPointer(rebasing: output[..<input.elements]))
    }
  }

  public func decodeReference(
    _ input: EncodedSpan, into output: UnsafeMutableBufferPointer<Float>
  ) throws(CodecError) {
    let bytes = try plane(input)
    try refusingComplex { () throws(ElementError) in
      try Elements.convertReference(
        from: dtype, to: .f32, source: bytes,
        destination: UnsafeMutableRawBufferPointer(
          rebasing: UnsafeMutableRawBufferPointer(output)[..<(input.elements * 4)]),
        count: input.elements)
    }
  }

  /// Converts by the policy of the dtype; a NaN is refused by the types that have none. There are no scales: `rule`
  /// must be the default, `.search`.
  public func encode(
    _ values: UnsafeBufferPointer<Float>, columns: Int, rule: ScaleRule,
    into planes: [UnsafeMutableRawBufferPointer]
  ) throws(CodecError) {
    guard rule == .search else { throw .rule(codec: "plain", rule: rule) }
    let expected = bytes(plane: 0, elements: values.count, columns: columns)
    guard planes.count == 1, planes[0].count == expected else {
      throw .planeSize(codec: "plain", plane: .codes, expected: expected, found: planes.first?.count ?? 0)
    }
    if !Elements.hasNaN(dtype), let element = values.firstIndex(where: \.isNaN) {
      throw .unencodable(codec: "plain", element: element, value: values[element])
    }
    try refusingComplex { () throws(ElementError) in try Elements.encode(values, dtype, into: planes[0]) }
  }

  private func plane(_ input: EncodedSpan) throws(CodecError) -> UnsafeRawBufferPointer {
    let expected = bytes(plane: 0, elements: input.elements, columns: input.columns)
    guard input.planes.count == 1, input.planes[0].count == expected else {
      throw .planeSize(codec: "plain", plane: .codes, expected: expected, found: input.planes.first?.count ?? 0)
    }
    return input.planes[0]
  }

  private func refusingComplex(_ body: () throws(ElementError) -> Void) throws(CodecError) {
    do { try body() } catch {
      throw .value(codec: "plain", plane: .codes, offset: 0, reason: "\(error)")
    }
  }
}
