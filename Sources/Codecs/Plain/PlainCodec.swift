import Tensors

/// Values as they are in a plain dtype, little-endian, packed: `plain:dtype=BF16` (specs/codecs/plain.md).
public struct PlainCodec: Codec, Hashable {
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

  public func decode(_ input: EncodedSpan, into output: UnsafeMutableBufferPointer<Float>) throws(CodecError) {
    try decodeReference(input, into: output)
  }

  public func decodeReference(
    _ input: EncodedSpan, into output: UnsafeMutableBufferPointer<Float>
  ) throws(CodecError) {
    throw .descriptor("\(descriptor)", reason: "not decodable yet")
  }
}
