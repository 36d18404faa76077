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
    let ways: [(planes: any Codec, ggml: GGMLType, there: any Relayout, back: any Relayout)] = [
      (MXCodec(.e2m1), .mxfp4, MXFP4ToGGML(), MXFP4FromGGML()),
      (NVFP4Codec(global: .none, zero: .unsigned), .nvfp4, NVFP4ToGGML(), NVFP4FromGGML()),
      (NVFP4Codec(global: .none, zero: .signed), .nvfp4, NVFP4ToGGML(), NVFP4FromGGML()),
    ]
    for way in ways {
      let (planes, ggml) = (way.planes.descriptor, CodecDescriptor("ggml", ["type": way.ggml.name]))
      if source.descriptor == planes, target.descriptor == ggml { return way.there }
      if source.descriptor == ggml, target.descriptor == planes { return way.back }
    }
    return IntegerRelayout(from: source, to: target)
  }
}
