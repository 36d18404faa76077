import Codecs

/// A matrix of cosines as coloured squares: white 0, blue 1, red -1.
struct SimilarityMap {
  private let gram: GramMatrix

  init(_ gram: GramMatrix) { self.gram = gram }

  var svg: String {
    let count = max(gram.count, 1)
    let side = max(1, 256 / count)
    var squares = ""
    for (index, cosine) in gram.correlations.enumerated() {
      let fade = Int((255 * (1 - min(1, abs(cosine)))).rounded())
      let color = cosine >= 0 ? "rgb(\(fade),\(fade),255)" : "rgb(255,\(fade),\(fade))"
      squares +=
        "<rect x=\"\(index % count * side)\" y=\"\(index / count * side)\" width=\"\(side)\" height=\"\(side)\" "
        + "fill=\"\(color)\"/>"
    }
    return "<svg width=\"\(count * side)\" height=\"\(count * side)\">\(squares)</svg>\n"
  }
}

/// The tree of merges: experts at the bottom, a bracket at the height of 1 - cosine for each merge.
struct Dendrogram {
  private let merges: [Merge]
  private let count: Int

  init(_ merges: [Merge], count: Int) {
    self.merges = merges
    self.count = count
  }

  var svg: String {
    let order = leafOrder
    let spacing = 256.0 / Double(max(count, 1))
    var place = [Double](repeating: 0, count: count + merges.count)
    var height = [Double](repeating: 0, count: count + merges.count)
    for (index, leaf) in order.enumerated() { place[leaf] = (Double(index) + 0.5) * spacing }
    var lines = ""
    for (step, merge) in merges.enumerated() {
      let node = count + step
      place[node] = (place[merge.first] + place[merge.second]) / 2
      height[node] = max(height[merge.first], height[merge.second], 100 * min(1, max(0, 1 - merge.similarity)))
      let top = HTMLText.decimal(110 - height[node], 1)
      let points = [
        (place[merge.first], HTMLText.decimal(110 - height[merge.first], 1)), (place[merge.first], top),
        (place[merge.second], top), (place[merge.second], HTMLText.decimal(110 - height[merge.second], 1)),
      ]
      let path = points.map { "\(HTMLText.decimal($0.0, 1)),\($0.1)" }.joined(separator: " ")
      lines += "<polyline points=\"\(path)\" fill=\"none\" stroke=\"black\"/>"
    }
    return "<br><svg width=\"256\" height=\"112\">\(lines)</svg>\n"
  }

  /// Experts in an order in which no lines cross.
  private var leafOrder: [Int] {
    guard count > 1, merges.count == count - 1 else { return Array(0..<count) }
    var stack = [count + merges.count - 1]
    var leaves: [Int] = []
    while let node = stack.popLast() {
      if node < count {
        leaves.append(node)
      } else {
        stack.append(merges[node - count].second)
        stack.append(merges[node - count].first)
      }
    }
    return leaves
  }
}

/// Error over bits: one line a curve, the error on a logarithmic scale.
struct RatePlot {
  private let points: [ExpertReport.Point]

  init(_ points: [ExpertReport.Point]) { self.points = points.filter { $0.error > 0 && $0.bits.isFinite } }

  var svg: String {
    let colors = ["#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#8c564b", "#e377c2"]
    var names: [String] = []
    for point in points where !names.contains(point.curve) { names.append(point.curve) }
    let widest = max(points.map(\.bits).max() ?? 1, 1)
    var drawn = ""
    for (index, name) in names.enumerated() {
      let color = colors[index % colors.count]
      let curve = points.filter { $0.curve == name }.sorted { $0.bits < $1.bits }
      let path = curve.map { point in
        let height = -BinaryLogarithm.of(point.error)
        return HTMLText.decimal(40 + 520 * point.bits / widest, 1) + "," + HTMLText.decimal(20 + 20 * height, 1)
      }
      drawn += "<polyline points=\"\(path.joined(separator: " "))\" fill=\"none\" stroke=\"\(color)\"/>"
      drawn +=
        "<text x=\"580\" y=\"\(30 + 18 * index)\" fill=\"\(color)\">\(HTMLText.escaped(name))</text>"
    }
    return "<svg width=\"800\" height=\"320\">\(drawn)</svg>\n" + table
  }

  private var table: String {
    let rows = points.map {
      "<tr><td>\(HTMLText.escaped($0.curve))</td><td>\(HTMLText.decimal($0.bits, 3))</td>"
        + "<td>\(HTMLText.decimal($0.error, 5))</td></tr>"
    }
    return "<table><tr><th>encoding</th><th>bits per weight</th><th>relative error</th></tr>\(rows.joined())</table>\n"
  }
}
