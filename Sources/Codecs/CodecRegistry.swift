/// The codecs, by the name their descriptors start with. A new codec is a folder and a line here.
public enum CodecRegistry {
  /// Makes the codec that a descriptor names. Throws `CodecError.descriptor`.
  public static func codec(_ descriptor: CodecDescriptor) throws(CodecError) -> any Codec {
    var reader = DescriptorReader(descriptor)
    guard let make = makers[descriptor.name] else {
      throw .descriptor("\(descriptor)", reason: "no encoding has the name '\(descriptor.name)'")
    }
    let codec = try make(&reader)
    try reader.finish()
    return codec
  }

  public static func codec(_ text: String) throws(CodecError) -> any Codec {
    try codec(CodecDescriptor(parsing: text))
  }

  typealias Maker = @Sendable (inout DescriptorReader) throws(CodecError) -> any Codec

  private static let makers: [String: Maker] = [
    "plain": { (reader) throws(CodecError) in try PlainCodec(&reader) },
    "mxfp4": { (_) throws(CodecError) in MXCodec(.e2m1) },
    "mxfp6e2m3": { (_) throws(CodecError) in MXCodec(.e2m3) },
    "mxfp6e3m2": { (_) throws(CodecError) in MXCodec(.e3m2) },
    "mxfp8e4m3": { (_) throws(CodecError) in MXCodec(.e4m3) },
    "mxfp8e5m2": { (_) throws(CodecError) in MXCodec(.e5m2) },
    "nvfp4": { (reader) throws(CodecError) in try NVFP4Codec(&reader) },
    "nvfp4stack": { (reader) throws(CodecError) in try StackedNVFP4Codec(&reader) },
    "fp8": { (reader) throws(CodecError) in try FP8Codec(&reader) },
    "ggml": { (reader) throws(CodecError) in try GGMLCodec(&reader) },
    "int": { (reader) throws(CodecError) in try IntegerCodec(&reader, bits: nil) },
    "int2": { (reader) throws(CodecError) in try IntegerCodec(&reader, bits: 2) },
    "int3": { (reader) throws(CodecError) in try IntegerCodec(&reader, bits: 3) },
    "int4": { (reader) throws(CodecError) in try IntegerCodec(&reader, bits: 4) },
    "int5": { (reader) throws(CodecError) in try IntegerCodec(&reader, bits: 5) },
    "int6": { (reader) throws(CodecError) in try IntegerCodec(&reader, bits: 6) },
    "nf4": { (reader) throws(CodecError) in try NormalFloatCodec(&reader, table: .nf4) },
    "fp4": { (reader) throws(CodecError) in try NormalFloatCodec(&reader, table: .fp4) },
    "int8": { (reader) throws(CodecError) in try IntegerCodec(&reader, bits: 8) },
    "integers": { (reader) throws(CodecError) in try IntegersCodec(&reader) },
    "additive": { (reader) throws(CodecError) in try AdditiveCodec(&reader) },
    "split": { (reader) throws(CodecError) in try SplitCodec(&reader) },
    "delta": { (reader) throws(CodecError) in try DeltaCodec(&reader) },
    "ternary": { (reader) throws(CodecError) in try TernaryCodec(&reader) },
    "trellis": { (_) throws(CodecError) in TrellisCodec() },
    "residual": { (reader) throws(CodecError) in try ResidualCodec(&reader) },
    "bilevel": { (reader) throws(CodecError) in try BilevelCodec(&reader) },
    "spqr": { (reader) throws(CodecError) in try SpQRCodec(&reader) },
  ]
}
