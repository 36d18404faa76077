import Codecs
import Pages

/// What curves cost over their bits a weight: a line for each curve, a mark for each point.
struct RatePlot {
  /// A mark: bits, and the height from 0 (bottom) to 1.
  private struct Mark {
    var bits: Double
    var height: Double
  }

  private var curves: [(name: String, marks: [Mark])] = []
  /// Heights and names of the lines of the scale.
  private let scale: [(height: Double, name: String)]
  private let title: String
  /// Bits at the right end.
  private static let widest = 5.0
  private static let colors = ["#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#8c564b", "#e377c2", "#7f7f7f", "#17becf"]

  /// Relative errors on a logarithmic scale, from 2^-14 at the bottom to 1.
  static func errors(_ points: [ExpertReport.Point]) -> RatePlot {
    func height(_ error: Double) -> Double { 1 + BinaryLogarithm.of(error) / 14 }
    let marks = [(1.0, "1"), (0.1, "0.1"), (0.01, "0.01"), (0.001, "0.001")].map { (height: height($0), name: $1) }
    return RatePlot(points, title: "relative squared error", scale: marks) { $0.error > 0 ? height($0.error) : nil }
  }

  /// Perplexities from the least to a fifth more; what is worse is in the table alone.
  static func perplexities(_ points: [ExpertReport.Point]) -> RatePlot {
    let least = points.compactMap(\.perplexity).filter { $0 > 0 }.min() ?? 1
    let marks = [0, 5, 10, 15, 20].map { percent in
      (
        height: Double(percent) / 20,
        name: HTMLText.decimal(least * (1 + Double(percent) / 100), 2) + (percent == 0 ? "" : " (+\(percent) %)")
      )
    }
    return RatePlot(points, title: "perplexity", scale: marks) { $0.perplexity.map { ($0 / least - 1) * 5 } }
  }

  private init(
    _ points: [ExpertReport.Point], title: String, scale: [(height: Double, name: String)],
    height: (ExpertReport.Point) -> Double?
  ) {
    self.title = title
    self.scale = scale
    for point in points {
      guard let height = height(point), (0...1).contains(height), (0...Self.widest).contains(point.bits) else {
        continue
      }
      let mark = Mark(bits: point.bits, height: height)
      if let index = curves.firstIndex(where: { $0.name == point.curve }) {
        curves[index].marks.append(mark)
      } else {
        curves.append((point.curve, [mark]))
      }
    }
  }

  /// Empty if nothing is to be drawn.
  var svg: String {
    guard !curves.isEmpty else { return "" }
    var drawn = axes
    for (index, curve) in curves.enumerated() {
      let color = Self.colors[index % Self.colors.count]
      let marks = curve.marks.sorted { $0.bits < $1.bits }
      let path = marks.map { "\(x($0.bits)),\(y($0.height))" }.joined(separator: " ")
      drawn += "<polyline points=\"\(path)\" fill=\"none\" stroke=\"\(color)\"/>"
      drawn += marks.map { "<circle cx=\"\(x($0.bits))\" cy=\"\(y($0.height))\" r=\"3\" fill=\"\(color)\"/>" }.joined()
      let text = HTMLText.escaped(curve.name)
      drawn += "<text x=\"640\" y=\"\(30 + 18 * index)\" fill=\"\(color)\">\(text)</text>"
    }
    return "<svg width=\"900\" height=\"355\">\(drawn)</svg>\n"
  }

  private func x(_ bits: Double) -> String { HTMLText.decimal(110 + 500 * bits / Self.widest, 1) }
  private func y(_ height: Double) -> String { HTMLText.decimal(320 - 300 * height, 1) }

  private var axes: String {
    var lines = "<polyline points=\"110,20 110,320 610,320\" fill=\"none\" stroke=\"#999\"/>"
    for bits in 0...Int(Self.widest) {
      lines += "<text x=\"\(x(Double(bits)))\" y=\"336\" fill=\"#666\">\(bits)</text>"
    }
    for (height, name) in scale { lines += "<text x=\"4\" y=\"\(y(height))\" fill=\"#666\">\(name)</text>" }
    return lines + "<text x=\"250\" y=\"351\" fill=\"#666\">bits a weight; upwards: \(title)</text>"
  }
}
