import ByteIO
import Codecs

/// How tensors are cut into spans, the pieces that are worked on, digested and found again: a function of the
/// encodings and the shape alone, so that the output never depends on threads or memory.
public enum SpanRule {
  /// Elements that a span aims at: 1 Mi, 2 MiB of BF16.
  public static let target = 1 << 20

  /// Elements a span has: the largest common multiple of the alignments that stays within the target, or the least
  /// one if none does.
  /// - Parameter wholeRows: true if a span may not cut a row, whatever the codecs say.
  public static func elements(_ codecs: [any Codec], columns: Int, wholeRows: Bool = false) -> Int {
    let alignment = alignment(codecs, columns: columns, wholeRows: wholeRows)
    return max(target / alignment, 1) * alignment
  }

  /// Elements of a tile inside a span: what stays in the second-level cache while it is decoded, encoded and
  /// measured.
  static func tile(_ codecs: [any Codec], columns: Int, wholeRows: Bool = false) -> Int {
    let alignment = alignment(codecs, columns: columns, wholeRows: wholeRows)
    return max((1 << 15) / alignment, 1) * alignment
  }

  private static func alignment(_ codecs: [any Codec], columns: Int, wholeRows: Bool) -> Int {
    codecs.reduce(wholeRows ? max(columns, 1) : 1) { leastCommonMultiple($0, $1.alignment(columns: columns)) }
  }

  /// The least common multiple of positive numbers; where it would overflow, no tensor is that long.
  private static func leastCommonMultiple(_ a: Int, _ b: Int) -> Int {
    var (x, y) = (a, b)
    while y != 0 { (x, y) = (y, x % y) }
    return (a / x).multiplied(by: b) ?? .max / 2
  }
}
