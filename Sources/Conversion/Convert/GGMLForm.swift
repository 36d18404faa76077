import Codecs
import Tensors

/// Encodings as ggml has them.
enum GGMLForm {
  /// The codec by which a GGUF file holds the same values bit for bit, or nil.
  static func exact(_ codec: any Codec) -> (any Codec)? {
    if let plain = codec as? PlainCodec { return GGMLType(plain: plain.dtype) == nil ? nil : plain }
    if codec is GGMLCodec { return codec }
    guard let mxfp4 = try? GGMLCodec(.mxfp4), Relayouts.find(from: codec, to: mxfp4) != nil else { return nil }
    return mxfp4
  }

  /// The type of a tensor in such a codec.
  static func type(of codec: any Codec) -> GGMLType? {
    (codec as? PlainCodec).flatMap { GGMLType(plain: $0.dtype) } ?? (codec as? GGMLCodec)?.type
  }
}
