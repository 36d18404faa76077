import Codecs
import Tensors

/// An encoding that only its container can decode, as what lies outside sees it: `read` gives the values in F32, under
/// the descriptor of what is stored.
struct DecodedView: Codec {
  let descriptor: CodecDescriptor

  var planes: [Plane] { [Plane(.codes)] }
  func alignment(columns: Int) -> Int { 1 }
  func check(_ shape: Shape) throws(CodecError) { try PlainCodec(.f32).check(shape) }
  func bytes(plane: Int, elements: Int, columns: Int) -> Int { elements * MemoryLayout<Float>.size }

  func decode(_ input: EncodedSpan, into output: UnsafeMutableBufferPointer<Float>) throws(CodecError) {
    try PlainCodec(.f32).decode(input, into: output)
  }

  func decodeReference(_ input: EncodedSpan, into output: UnsafeMutableBufferPointer<Float>) throws(CodecError) {
    try PlainCodec(.f32).decodeReference(input, into: output)
  }
}

extension CheckpointTensor {
  /// True if the stored bytes mean nothing without other tensors of the file, so that they can't be carried over.
  public var isReferenced: Bool { codec is DecodedView }
}
