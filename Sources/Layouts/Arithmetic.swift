import Codecs

/// How values are computed from codes.
public enum Arithmetic: String, Sendable, CaseIterable {
  /// In F32, each value rounded once to what it is stored in.
  case exact
  /// As the library does that computes in the 16-bit type of its scales, rounding every step. It differs from the exact
  /// one where something is added to a product: elsewhere there is one rounding either way.
  case library

  /// The encoding of the same planes with this arithmetic.
  func codec(_ codec: any Codec) -> any Codec {
    guard self == .library, let integers = codec as? IntegerCodec, case .bias(let type) = integers.zero,
      case .float(let scale) = integers.scale, scale != .f32, scale == type
    else { return codec }
    let grouping: IntegersCodec.Grouping
    switch integers.grouping {
    case .elements(let count): grouping = .elements(count)
    case .row: grouping = .row
    case .column: return codec
    }
    return
      (try? IntegersCodec(
        bits: integers.bits, grouping: grouping, scale: scale, zero: .bias(type), isStepped: true)) ?? codec
  }
}
