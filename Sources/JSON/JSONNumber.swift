/// A JSON number, kept as it is written, so that nothing is lost and it can be written back.
public struct JSONNumber: Sendable, Hashable, CustomStringConvertible {
  /// The number as JSON.
  public let text: String

  init(token: JSONNumberToken) { text = token.text }

  public init(_ value: some BinaryInteger) { text = String(value) }

  /// Nil if the value is not finite: JSON can't say that.
  public init?(_ value: Double) {
    guard value.isFinite else { return nil }
    text = "\(value)"
  }

  /// The exact value of a number written as an integer (no fraction, no exponent) that fits.
  public var int: Int? { Int(text) }

  /// The exact value of a number written as an integer that fits 64 bits without a sign.
  public var uint64: UInt64? { UInt64(text) }

  /// The nearest Double, infinite if the number is too large.
  public var double: Double { Double(text) ?? .infinity }

  public var description: String { text }
}
