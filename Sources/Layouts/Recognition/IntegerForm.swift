import Codecs

/// The encoding of integer codes: `int4` and its like where that has the groups, width and zero points, for it can be
/// written too and is faster; else `integers`.
enum IntegerForm {
  static func codec(
    bits: Int, grouping: IntegersCodec.Grouping, scale: ScalarFloat, zero: IntegersCodec.Zero
  ) throws(CodecError) -> any Codec {
    guard IntegerCodec.widths.contains(bits), let group = plain(grouping), let zeroPoint = plain(zero) else {
      return try IntegersCodec(bits: bits, grouping: grouping, scale: scale, zero: zero)
    }
    return try IntegerCodec(bits: bits, grouping: group, scale: .float(scale), zero: zeroPoint)
  }

  private static func plain(_ grouping: IntegersCodec.Grouping) -> IntegerCodec.Grouping? {
    switch grouping {
    case .elements(let count): count <= IntegerCodec.longestGroup ? .elements(count) : nil
    case .row: .row
    default: nil
    }
  }

  private static func plain(_ zero: IntegersCodec.Zero) -> IntegerCodec.Zero? {
    switch zero {
    case .none: IntegerCodec.Zero.none
    case .code: .code
    case .bias(let type): .bias(type)
    case .point: nil
    }
  }
}
