import Tensors

/// A way to move codes and scales from one encoding to another that holds the same values, without touching a bit of
/// them.
public protocol Relayout: Sendable {
  /// Moves a span. `planes` have room for what the target encoding says.
  func run(_ input: EncodedSpan, into planes: [UnsafeMutableRawBufferPointer]) throws(CodecError)
}

/// The relayouts that exist.
public enum Relayouts {
  /// The way from one encoding to another, or nil if there is none that keeps every code.
  public static func find(from source: any Codec, to target: any Codec) -> (any Relayout)? {
    let mxfp4 = MXCodec(.e2m1).descriptor
    let ggml = CodecDescriptor("ggml", ["type": GGMLType.mxfp4.name])
    if source.descriptor == mxfp4, target.descriptor == ggml { return MXFP4ToGGML() }
    if source.descriptor == ggml, target.descriptor == mxfp4 { return MXFP4FromGGML() }
    return IntegerRelayout(from: source, to: target)
  }
}
