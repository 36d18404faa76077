import ByteIO

/// Numbers as people read them.
enum Format {
  /// Bytes in decimal units: 2.31 MB.
  static func bytes(_ count: Int) -> String {
    var value = Double(count)
    if count < 1000 { return "\(count) B" }
    for unit in ["kB", "MB", "GB", "TB"] {
      value /= 1000
      if value < 999.5 || unit == "TB" { return "\(significant(value)) \(unit)" }
    }
    return "\(count) B"
  }

  /// Three significant digits: 4.27, 12.3, 768.
  static func significant(_ value: Double) -> String {
    let magnitude = abs(value)
    return decimals(value, magnitude < 9.995 ? 2 : magnitude < 99.95 ? 1 : 0)
  }

  /// A fixed number of decimals, rounded.
  static func decimals(_ value: Double, _ count: Int) -> String { DecimalText.fixed(value, count) ?? "\(value)" }

  /// An error figure: 0, or two digits and an exponent.
  static func error(_ value: Double) -> String {
    if value == 0 { return "0" }
    guard value.isFinite else { return "\(value)" }
    var mantissa = abs(value)
    var exponent = 0
    while mantissa >= 9.95 {
      mantissa /= 10
      exponent += 1
    }
    while mantissa < 0.995 {
      mantissa *= 10
      exponent -= 1
    }
    if (-3...0).contains(exponent) { return decimals(value, 2 - exponent) }
    return "\(value < 0 ? "-" : "")\(decimals(mantissa, 1))e\(exponent)"
  }

  /// A duration in seconds, or minutes and seconds.
  static func duration(_ seconds: Double) -> String {
    if seconds < 60 { return "\(decimals(seconds, seconds < 10 ? 2 : 1)) s" }
    let whole = Int(seconds.rounded())
    if whole < 3600 { return "\(whole / 60) min \(whole % 60) s" }
    return "\(whole / 3600) h \(whole % 3600 / 60) min"
  }

  /// A count in thousands, millions or billions: 15.5 M.
  static func count(_ number: Int) -> String {
    var value = Double(number)
    if number < 1000 { return "\(number)" }
    for unit in ["k", "M", "B", "T"] {
      value /= 1000
      if value < 999.5 || unit == "T" { return "\(significant(value)) \(unit)" }
    }
    return "\(number)"
  }

  /// Text on one line, cut to a number of characters.
  static func shortened(_ text: String, to limit: Int) -> String {
    let line = text.split(whereSeparator: \.isNewline).joined(separator: " ")
    return line.count <= limit ? line : line.prefix(limit - 1) + "…"
  }
}
