import Codecs

/// Error over bits, the error on a logarithmic scale: a line for each curve, a mark for each point.
struct RatePlot {
  private let points: [ExpertReport.Point]

  init(_ points: [ExpertReport.Point]) { self.points = points.filter { $0.error > 0 && $0.bits.isFinite } }

  private static let colors = ["#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#8c564b", "#e377c2", "#7f7f7f", "#17becf"]

  var html: String {
    var names: [String] = []
    for point in points where !names.contains(point.curve) { names.append(point.curve) }
    var drawn = axes
    for (index, name) in names.enumerated() {
      let color = Self.colors[index % Self.colors.count]
      let curve = points.filter { $0.curve == name }.sorted { $0.bits < $1.bits }
      let path = curve.map { "\(x($0.bits)),\(y($0.error))" }.joined(separator: " ")
      drawn += "<polyline points=\"\(path)\" fill=\"none\" stroke=\"\(color)\"/>"
      drawn += curve.map { "<circle cx=\"\(x($0.bits))\" cy=\"\(y($0.error))\" r=\"3\" fill=\"\(color)\"/>" }.joined()
      drawn += "<text x=\"580\" y=\"\(30 + 18 * index)\" fill=\"\(color)\">\(HTMLText.escaped(name))</text>"
    }
    return "<svg width=\"860\" height=\"350\">\(drawn)</svg>\n" + table
  }

  private var widest: Double { max(points.map(\.bits).max() ?? 1, 1) }

  private func x(_ bits: Double) -> String { HTMLText.decimal(50 + 500 * bits / widest, 1) }

  /// Errors from 1 at the top to 2^-14 at the bottom.
  private func y(_ error: Double) -> String {
    HTMLText.decimal(20 + 300 * min(14, max(0, -BinaryLogarithm.of(error))) / 14, 1)
  }

  private var axes: String {
    var lines = "<polyline points=\"50,20 50,320 550,320\" fill=\"none\" stroke=\"#999\"/>"
    for bits in 0...Int(widest) {
      lines += "<text x=\"\(x(Double(bits)))\" y=\"336\" fill=\"#666\">\(bits)</text>"
    }
    for (error, name) in [(1.0, "1"), (0.1, "0.1"), (0.01, "0.01"), (0.001, "0.001")] {
      lines += "<text x=\"4\" y=\"\(y(error))\" fill=\"#666\">\(name)</text>"
    }
    return lines + "<text x=\"250\" y=\"349\" fill=\"#666\">bits a weight</text>"
  }

  private var table: String {
    let rows = points.map {
      "<tr><td>\(HTMLText.escaped($0.curve))</td><td>\(HTMLText.decimal($0.bits, 3))</td>"
        + "<td>\(HTMLText.decimal($0.error, 5))</td></tr>"
    }
    return "<table><tr><th>encoding</th><th>bits per weight</th><th>relative error</th></tr>\(rows.joined())</table>\n"
  }
}
