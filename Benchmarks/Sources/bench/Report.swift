#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A line of the report: a figure, and the same over the figure of what it is compared with.
struct Measurement {
  var name: String
  var value: Double
  /// Of `value`: `GB/s of F32`, `ms`.
  var unit: String
  /// Over 1 is better.
  var ratio: Double?
  /// What the ratio is taken against.
  var against = ""
  /// The least ratio that is asked for.
  var goal: Double?
  /// Processor seconds of a process.
  var processorSeconds: Double?
  /// Peak resident memory in MiB, of a process.
  var peakMiB: Int?
}

/// Prints measurements as they come, or all of them as JSON at the end.
struct Report {
  private let json: Bool
  private var lines: [String] = []

  init(json: Bool) { self.json = json }

  func title(_ text: String) { note("\n\(text)") }

  /// A line of text, which JSON doesn't have.
  func note(_ text: String) {
    if json { return }
    print(text)
    fflush(nil)
  }

  mutating func add(_ row: Measurement) {
    if json { lines.append(object(row)) }
    note(text(row))
  }

  func finish() {
    if json { print("[\(lines.joined(separator: ",\n "))]") }
  }

  private func text(_ row: Measurement) -> String {
    var line = padded(row.name, 34) + padded("\(fixed(row.value)) \(row.unit)", 22)
    if let ratio = row.ratio { line += padded("\(fixed(ratio)) x \(row.against)", 24) }
    if let time = row.processorSeconds { line += padded("\(fixed(time)) s of CPU", 16) }
    if let peak = row.peakMiB { line += padded("peak \(peak) MiB", 16) }
    if let ratio = row.ratio, let goal = row.goal { line += "goal \(fixed(goal)) \(ratio >= goal ? "met" : "MISSED")" }
    return line
  }

  private func object(_ row: Measurement) -> String {
    var fields = [#""name":"\#(row.name)""#, #""value":\#(fixed(row.value))"#, #""unit":"\#(row.unit)""#]
    if let ratio = row.ratio { fields += [#""ratio":\#(fixed(ratio))"#, #""against":"\#(row.against)""#] }
    if let goal = row.goal { fields.append(#""goal":\#(fixed(goal))"#) }
    if let time = row.processorSeconds { fields.append(#""cpu_s":\#(fixed(time))"#) }
    if let peak = row.peakMiB { fields.append(#""peak_mib":\#(peak)"#) }
    return "{\(fields.joined(separator: ","))}"
  }

  private func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(1, width - text.utf8.count))
  }

  /// Two decimals.
  private func fixed(_ value: Double) -> String {
    let hundredths = Int((value * 100).rounded())
    return "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100)"
  }
}
