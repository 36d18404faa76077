/// Numbers as decimal text.
public enum DecimalText {
  /// A number with `count` decimals, halves rounded away from zero, what rounds to zero without a sign; nil for what
  /// isn't finite or has more than 18 digits.
  public static func fixed(_ value: Double, _ count: Int) -> String? {
    let scale = (0..<count).reduce(1.0) { scale, _ in scale * 10 }
    let rounded = (abs(value) * scale).rounded()
    guard rounded < 1e18 else { return nil }
    let digits = String(Int(rounded))
    let padded = String(repeating: "0", count: max(0, count + 1 - digits.count)) + digits
    let sign = value < 0 && rounded != 0 ? "-" : ""
    return count == 0 ? sign + padded : "\(sign)\(padded.dropLast(count)).\(padded.suffix(count))"
  }
}
