/// Who goes with whom: a one-to-one matching of N rows to N columns with the greatest total score.
public enum Assignment {
  /// The best matching, exactly: shortest augmenting paths after a column reduction (Jonker and Volgenant,
  /// Computing 38, 1987). Time up to N^3, near N^2 where most rows have a column that is clearly theirs.
  /// - Parameter scores: N x N, row-major, finite.
  /// - Returns: the column of each row. Ties go to the lowest column.
  public static func exact(_ scores: UnsafeBufferPointer<Float>, count: Int) -> [Int] {
    var solver = ShortestPaths(scores, count: count)
    return solver.solve()
  }

  /// A matching by rounds: every free row asks for its best free column, every column takes the best that asks.
  /// Equal to the exact one where true partners score highest for one another, as in shuffled copies; else near it.
  /// Time N^2 a round, with few rounds in practice.
  public static func approximate(_ scores: UnsafeBufferPointer<Float>, count: Int) -> [Int] {
    var columnOf = [Int](repeating: -1, count: count)
    var freeRows = Array(0..<count)
    var freeColumns = Array(0..<count)
    while !freeRows.isEmpty {
      var suitor = [Int](repeating: -1, count: count)
      for row in freeRows {
        let line = UnsafeBufferPointer(rebasing: scores[row * count..<(row + 1) * count])
        var best = freeColumns[0]
        for column in freeColumns where line[column] > line[best] { best = column }
        let rival = suitor[best]
        if rival < 0 || line[best] > scores[rival * count + best] { suitor[best] = row }
      }
      for column in freeColumns where suitor[column] >= 0 { columnOf[suitor[column]] = column }
      freeColumns.removeAll { suitor[$0] >= 0 }
      freeRows.removeAll { columnOf[$0] >= 0 }
    }
    return columnOf
  }
}

/// The exact solver: duals in F64, one augmenting path for each row that the reduction leaves free.
private struct ShortestPaths {
  private let scores: UnsafeBufferPointer<Float>
  private let count: Int
  private var price: [Double]
  private var rowOf: [Int]
  private var columnOf: [Int]

  init(_ scores: UnsafeBufferPointer<Float>, count: Int) {
    self.scores = scores
    self.count = count
    price = [Double](repeating: -.infinity, count: count)
    rowOf = [Int](repeating: -1, count: count)
    columnOf = [Int](repeating: -1, count: count)
  }

  mutating func solve() -> [Int] {
    reduceColumns()
    for row in 0..<count where columnOf[row] < 0 { augment(from: row) }
    return columnOf
  }

  /// A column's price is its best score; the row that has it gets the column if it has none yet.
  private mutating func reduceColumns() {
    var best = [Int](repeating: 0, count: count)
    for row in 0..<count {
      for column in 0..<count where Double(scores[row * count + column]) > price[column] {
        price[column] = Double(scores[row * count + column])
        best[column] = row
      }
    }
    for column in 0..<count where columnOf[best[column]] < 0 {
      columnOf[best[column]] = column
      rowOf[column] = best[column]
    }
  }

  /// Dijkstra over reduced costs price - score, from a free row to the nearest free column.
  private mutating func augment(from start: Int) {
    var distance = [Double](repeating: .infinity, count: count)
    var previous = [Int](repeating: start, count: count)
    var open = Array(0..<count)
    var closed: [Int] = []
    var row = start
    var reached = 0.0
    var end = -1
    while end < 0 {
      let offset = columnOf[row] < 0 ? 0 : slack(row, columnOf[row])
      var nearest = 0
      for (place, column) in open.enumerated() {
        let through = reached + slack(row, column) - offset
        if through < distance[column] {
          distance[column] = through
          previous[column] = row
        }
        let champion = open[nearest]
        if distance[column] < distance[champion] || (distance[column] == distance[champion] && column < champion) {
          nearest = place
        }
      }
      let column = open.remove(at: nearest)
      reached = distance[column]
      if rowOf[column] < 0 { end = column } else { row = rowOf[column] }
      closed.append(column)
    }
    for column in closed { price[column] -= distance[column] - reached }
    follow(previous, from: end, to: start)
  }

  private func slack(_ row: Int, _ column: Int) -> Double { price[column] - Double(scores[row * count + column]) }

  private mutating func follow(_ previous: [Int], from end: Int, to start: Int) {
    var column = end
    while true {
      let row = previous[column]
      let next = columnOf[row]
      rowOf[column] = row
      columnOf[row] = column
      if row == start { return }
      column = next
    }
  }
}
