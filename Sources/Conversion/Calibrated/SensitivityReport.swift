import JSON
import Pages

/// The sensitivity of a model's weights as JSON, and as one HTML page without scripts or references to anything
/// outside it.
public struct SensitivityReport: Sendable {
  public var title: String
  public var weights: [WeightSensitivity]

  public init(title: String, weights: [WeightSensitivity]) {
    self.title = title
    self.weights = weights
  }

  /// Sums over weights, rows, columns and the most sensitive places of every matrix.
  public var json: JSONValue {
    .array(
      weights.map { weight in
        [
          "name": .string(weight.name), "rows": .integer(weight.rows), "columns": .integer(weight.columns),
          "total": .real(weight.total), "share_of_top_hundredth": .real(weight.topShare),
          "by_row": .array(weight.byRow.map { .real($0) }), "by_column": .array(weight.byColumn.map { .real($0) }),
          "top": .array(
            weight.top.map {
              ["row": .integer($0.row), "column": .integer($0.column), "value": .real(Double($0.value))]
            }),
        ]
      })
  }

  /// Matrices that are drawn: those with the most for their size.
  private static let drawn = 64

  private static let style =
    "body{max-width:none}td:first-child{text-align:left}.maps{display:flex;flex-wrap:wrap}figure{margin:8px}"
    + "img{image-rendering:pixelated;border:1px solid #888}figcaption{font-size:11px;max-width:260px}"

  public var html: String {
    let sorted = weights.sorted { Self.density($0) > Self.density($1) }
    var page = HTMLText.head(title, style: Self.style) + "<h1>\(HTMLText.escaped(title))</h1>\n"
    page +=
      "<p>Squared rounding error of each weight at 3 bits, weighted by what it does to the outputs. A cell shows the "
      + "largest of its weights, dark to bright over five decades below the largest of the matrix.</p>\n<div class=maps>\n"
    for weight in sorted.prefix(Self.drawn) { page += figure(weight) }
    return page + "</div>\n" + table(sorted) + "</body></html>\n"
  }

  private static func density(_ weight: WeightSensitivity) -> Double {
    weight.total / Double(max(weight.rows * weight.columns, 1))
  }

  private func figure(_ weight: WeightSensitivity) -> String {
    let image = HeatMap(weight.map, columns: weight.mapColumns).bitmap.dataURI
    return "<figure><img width=256 height=256 alt=\"\" src=\"\(image)\"><figcaption>\(HTMLText.escaped(weight.name)), "
      + "\(weight.rows) x \(weight.columns)<br>a hundredth of the weights has "
      + "\(Int((weight.topShare * 100).rounded())) %</figcaption></figure>\n"
  }

  private func table(_ sorted: [WeightSensitivity]) -> String {
    let all = weights.reduce(0.0) { $0 + $1.total }
    let rows = sorted.map { weight in
      let share = all == 0 ? 0 : weight.total / all * 100
      return "<tr><td>\(HTMLText.escaped(weight.name))<td>\(weight.total)<td>\((share * 100).rounded() / 100) %"
        + "<td>\((weight.topShare * 1000).rounded() / 10) %</tr>\n"
    }
    return "<table><tr><th>weight<th>sum<th>of all<th>its top hundredth</tr>\n\(rows.joined())</table>\n"
  }
}
