/// The report as one HTML page without scripts or references to anything outside it.
extension ExpertReport {
  public var html: String {
    var page = HTMLText.head(title)
    page += "<h1>\(HTMLText.escaped(title))</h1>\n"
    page += "<p>Predicted saving: \(HTMLText.decimal(meanSaving, 3)) bits per expert weight.</p>\n"
    page += savings
    if !points.isEmpty { page += "<h2>Rate</h2>\n" + rate }
    for layer in layers { page += section(layer) }
    return page + "</body></html>\n"
  }

  private var rate: String {
    let plots = RatePlot.errors(points).svg + RatePlot.perplexities(points).svg
    let rows = points.map {
      "<tr><td>\(HTMLText.escaped($0.curve))</td><td>\(HTMLText.decimal($0.bits, 3))</td>"
        + "<td>\(HTMLText.decimal($0.error, 5))</td><td>\($0.perplexity.map { HTMLText.decimal($0, 3) } ?? "")</td></tr>"
    }
    let titles = ["encoding", "bits per weight", "relative error", "perplexity"].map { "<th>\($0)</th>" }.joined()
    return plots + "<table><tr>\(titles)</tr>\(rows.joined())</table>\n"
  }

  private var savings: String {
    var rows = ""
    for layer in layers {
      for matrix in layer.matrices {
        let cells = [
          "\(layer.layer)", matrix.matrix.rawValue, HTMLText.decimal(matrix.before.meanCorrelation, 4),
          HTMLText.decimal(matrix.after.meanCorrelation, 4), HTMLText.decimal(matrix.idealAfter, 3),
          matrix.clusters.shares ? HTMLText.decimal(matrix.clusters.saving, 3) : "no gain",
          "\(matrix.clusters.members.count)",
        ]
        rows += "<tr>" + cells.map { "<td>\($0)</td>" }.joined() + "</tr>\n"
      }
    }
    let titles = ["layer", "matrix", "cosine", "aligned", "ideal bits", "net bits saved", "clusters"]
    return "<table><tr>" + titles.map { "<th>\($0)</th>" }.joined() + "</tr>\n\(rows)</table>\n"
  }

  private func section(_ layer: LayerSimilarity) -> String {
    var html = "<h2>Layer \(layer.layer)</h2>\n<div class=row>\n"
    for matrix in layer.matrices {
      html += "<figure>" + SimilarityMap(matrix.after).html
      html += Dendrogram(matrix.clusters.merges, count: matrix.after.count).svg
      html += "<figcaption>\(matrix.matrix.rawValue)</figcaption></figure>\n"
    }
    return html + "</div>\n"
  }
}

/// Text for HTML.
enum HTMLText {
  static func head(_ title: String) -> String {
    "<!DOCTYPE html>\n<html lang=en><head><meta charset=utf-8><title>\(escaped(title))</title><style>"
      + "body{font:14px sans-serif;margin:2em;max-width:70em}table{border-collapse:collapse}"
      + "td,th{border:1px solid #ccc;padding:2px 8px;text-align:right}.row{display:flex;flex-wrap:wrap}"
      + "figure{margin:1em}figcaption{text-align:center}</style></head><body>\n"
  }

  static func escaped(_ text: String) -> String {
    text.reduce(into: "") { result, character in
      switch character {
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "&": result += "&amp;"
      case "\"": result += "&quot;"
      default: result.append(character)
      }
    }
  }

  /// A number with so many decimals.
  static func decimal(_ value: Double, _ digits: Int) -> String {
    guard value.isFinite, abs(value) < 1e12 else { return value.isNaN ? "-" : value > 0 ? "∞" : "-∞" }
    let power = (0..<digits).reduce(1.0) { power, _ in power * 10 }
    let scaled = Int((abs(value) * power).rounded())
    let (whole, fraction) = scaled.quotientAndRemainder(dividingBy: Int(power))
    let sign = value < 0 && scaled > 0 ? "-" : ""
    guard digits > 0 else { return "\(sign)\(whole)" }
    let text = String(fraction)
    return "\(sign)\(whole)." + String(repeating: "0", count: digits - text.count) + text
  }
}
