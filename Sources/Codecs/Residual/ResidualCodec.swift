import Tensors

/// An encoding that decodes only beside the values of another tensor.
public protocol ReferencedCodec: Codec {
  /// Decodes a span, given the decoded values of the same elements of the reference tensor.
  /// Throws `CodecError.shape` if there are fewer of them than elements.
  func decode(
    _ input: EncodedSpan, reference: UnsafeBufferPointer<Float>, into output: UnsafeMutableBufferPointer<Float>
  ) throws(CodecError)
}

/// A tensor as its difference from a reference, a centroid: `residual:codec=NAME,reference=TENSOR,...`, where what
/// follows are the parameters of the encoding NAME of the difference (specs/codecs/residual.md).
public struct ResidualCodec: ReferencedCodec {
  /// The encoding of the difference.
  public let inner: any Codec
  /// Name of the tensor in the same file that is the reference; nil where whoever decodes knows it.
  public let reference: String?

  /// Throws `CodecError.descriptor` if `inner` needs a reference itself.
  public init(_ inner: any Codec, reference: String? = nil) throws(CodecError) {
    guard !(inner is any ReferencedCodec) else {
      throw .descriptor("\(inner.descriptor)", reason: "a residual can't be of a residual")
    }
    self.inner = inner
    self.reference = reference
  }

  init(_ reader: inout DescriptorReader) throws(CodecError) {
    guard let name = reader.text("codec") else {
      throw .descriptor("residual", reason: "codec= should name the encoding of the difference")
    }
    let reference = reader.text("reference")
    try self.init(CodecRegistry.codec(CodecDescriptor(name, parameters: reader.rest())), reference: reference)
  }

  public var descriptor: CodecDescriptor {
    var own = [CodecDescriptor.Parameter(key: "codec", value: inner.descriptor.name)]
    if let reference { own.append(CodecDescriptor.Parameter(key: "reference", value: reference)) }
    return CodecDescriptor("residual", parameters: own + inner.descriptor.parameters)
  }

  public var planes: [Plane] { inner.planes }
  public func alignment(columns: Int) -> Int { inner.alignment(columns: columns) }
  public func check(_ shape: Shape) throws(CodecError) { try inner.check(shape) }

  public func bytes(plane: Int, elements: Int, columns: Int) -> Int {
    inner.bytes(plane: plane, elements: elements, columns: columns)
  }

  /// The value is the F32 sum of reference and difference, rounded once.
  public func decode(
    _ input: EncodedSpan, reference: UnsafeBufferPointer<Float>, into output: UnsafeMutableBufferPointer<Float>
  ) throws(CodecError) {
    guard reference.count >= input.elements else {
      throw .shape(codec: "\(descriptor)", shape: [input.elements], reason: "its reference has \(reference.count)")
    }
    try inner.decode(input, into: output)
    for index in 0..<input.elements { output[index] = reference[index] + output[index] }
  }

  /// Always throws: there is no value without the reference.
  public func decode(_ input: EncodedSpan, into output: UnsafeMutableBufferPointer<Float>) throws(CodecError) {
    throw .descriptor("\(descriptor)", reason: "it decodes only beside its reference tensor")
  }

  /// Always throws, like `decode` without a reference.
  public func decodeReference(
    _ input: EncodedSpan, into output: UnsafeMutableBufferPointer<Float>
  ) throws(CodecError) {
    try decode(input, into: output)
  }
}
