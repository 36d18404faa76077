import Pages

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
