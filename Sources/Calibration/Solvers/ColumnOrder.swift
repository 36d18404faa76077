/// The order in which a solver rounds columns.
public enum ColumnOrder: String, Sendable, CaseIterable {
  /// First to last.
  case natural
  /// The groups whose inputs are largest first, and in a group the columns with the largest inputs first: errors of
  /// what matters most can still be made up for by all that follows. Columns stay in their groups, so that nothing
  /// about the order needs to be stored.
  case importance
}

/// The columns of a weight in the order of rounding, and the groups they come in.
struct GroupSchedule {
  /// Columns of one group: their places in the order of rounding.
  struct Step {
    /// Index of the group among those of a row.
    var group: Int
    var places: Range<Int>
  }

  /// The column at each place.
  let columns: [Int]
  let steps: [Step]
  /// True if columns are stored as they are rounded; else they are in the tensor's order.
  let isStored: Bool

  /// With `isStored`, whatever the order asked for, the columns with the largest inputs come first, and groups are made
  /// of them as they come: SpQR's `act_order`.
  init(columns count: Int, groupColumns: Int, diagonal: [Float], order: ColumnOrder, isStored: Bool) {
    self.isStored = isStored
    let stored = isStored ? Self.descending(Array(0..<count)) { diagonal[$0] } : Array(0..<count)
    var groups = stride(from: 0, to: count, by: groupColumns).map {
      Array(stored[$0..<min($0 + groupColumns, count)])
    }
    if order == .importance, !isStored {
      groups = groups.map { group in Self.descending(group) { diagonal[$0] } }
      let sums = groups.map { group in group.reduce(0) { $0 + Double(diagonal[$1]) } / Double(group.count) }
      groups = Self.descending(Array(groups.indices)) { sums[$0] }.map { groups[$0] }
    }
    var steps: [Step] = []
    var next = 0
    for group in groups {
      let first = isStored ? next : group.min() ?? 0
      steps.append(Step(group: first / groupColumns, places: next..<next + group.count))
      next += group.count
    }
    columns = groups.flatMap { $0 }
    self.steps = steps
  }

  /// The tensor's column that each stored column holds; empty where columns are stored in the tensor's order.
  var permutation: [Int] { isStored ? columns : [] }

  /// The place of each of the tensor's columns.
  var places: [Int] {
    var places = columns
    for (place, column) in columns.enumerated() { places[column] = place }
    return places
  }

  /// Sorted by a key, largest first; equals keep their order.
  private static func descending<Key: Comparable>(_ items: [Int], by key: (Int) -> Key) -> [Int] {
    items.enumerated()
      .sorted { a, b in
        let (x, y) = (key(a.element), key(b.element))
        return x == y ? a.offset < b.offset : x > y
      }
      .map(\.element)
  }

  /// Runs of places whose updates to later columns are done at once: whole groups up to `limit` columns together, or
  /// pieces of a longer group. A group starts at the start of a block or lies in one.
  func blocks(limit: Int) -> [Range<Int>] {
    var blocks: [Range<Int>] = []
    for step in steps {
      if let last = blocks.last, step.places.upperBound - last.lowerBound <= limit {
        blocks[blocks.count - 1] = last.lowerBound..<step.places.upperBound
      } else {
        for start in stride(from: step.places.lowerBound, to: step.places.upperBound, by: limit) {
          blocks.append(start..<min(start + limit, step.places.upperBound))
        }
      }
    }
    return blocks
  }
}
