/// Prints the measurements, each beside the first one, which is memcpy.
func report(_ measurements: [Measurement], json: Bool) {
  guard let first = measurements.first else { return }
  let lines = measurements.map { row in
    let rate = fixed(row.gigabytesPerSecond)
    let ratio = fixed(row.gigabytesPerSecond / first.gigabytesPerSecond)
    return json
      ? #"{"name":"\#(row.name)","unit":"\#(row.unit)","gb_per_s":\#(rate),"x_memcpy":\#(ratio)}"#
      : "\(padded(row.name, 44)) \(padded(rate, 6)) GB/s \(padded(row.unit, 8)) \(ratio) x memcpy"
  }
  print(json ? "[\(lines.joined(separator: ",\n "))]" : lines.joined(separator: "\n"))
}

private func padded(_ text: String, _ width: Int) -> String {
  text + String(repeating: " ", count: max(0, width - text.utf8.count))
}

/// Two decimals.
private func fixed(_ value: Double) -> String {
  let hundredths = Int((value * 100).rounded())
  return "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100)"
}
