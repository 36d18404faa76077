import Pages

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
