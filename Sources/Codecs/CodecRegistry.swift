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
    "plain": { (reader) throws(CodecError) in try PlainCodec(&reader) }
  ]
}
