import CKernels
import Codecs

/// A run of rows of a weight while it is being solved. Columns lie one after another in the order of rounding, each
/// with one value a row, so that a step works on a whole column at once.
final class RowChunk {
  let rows: Int
  let columns: Int
  /// Weights, with the errors of the columns before made up for.
  let work: UnsafeMutablePointer<Float>
  /// What the chosen codes decode to.
  let decoded: UnsafeMutablePointer<Float>
  let codes: UnsafeMutablePointer<UInt8>
  /// Scale and zero of each row, a column of rows for each group.
  let scales: UnsafeMutablePointer<Float>
  let zeros: UnsafeMutablePointer<Float>
  /// Second-level statistics of each group, one for each run of `groupRows` rows.
  var tiles: [[BilevelTile]]
  /// Which weights are kept apart; nil where none may be.
  let outliers: KeptApart?

  /// Weights that are kept apart.
  struct KeptApart {
    let marks: UnsafeMutablePointer<Bool>
    /// What is stored of those that are marked.
    let bits: UnsafeMutablePointer<UInt16>
  }

  init(rows: Int, columns: Int, groups: Int, hasOutliers: Bool) {
    self.rows = rows
    self.columns = columns
    let count = rows * columns
    work = .allocate(capacity: count)
    decoded = .allocate(capacity: count)
    codes = .allocate(capacity: count)
    scales = .allocate(capacity: rows * groups)
    zeros = .allocate(capacity: rows * groups)
    tiles = Array(repeating: [], count: groups)
    outliers = hasOutliers ? KeptApart(marks: .allocate(capacity: count), bits: .allocate(capacity: count)) : nil
    outliers?.marks.initialize(repeating: false, count: count)
  }

  deinit {
    work.deallocate()
    decoded.deallocate()
    codes.deallocate()
    scales.deallocate()
    zeros.deallocate()
    outliers?.marks.deallocate()
    outliers?.bits.deallocate()
  }

  /// Columns that are copied together: a line of the cache of each row.
  static let copied = 16

  /// Fills `work` with rows of a matrix from `firstRow` on, its columns in the order given.
  func load(_ weights: [Float], firstRow: Int, order: [Int]) {
    weights.withUnsafeBufferPointer { weights in
      order.withUnsafeBufferPointer { order in
        for start in stride(from: 0, to: columns, by: Self.copied) {
          let places = start..<min(start + Self.copied, columns)
          for row in 0..<rows {
            let source = (firstRow + row) * columns
            for place in places { work[place * rows + row] = weights[source + order[place]] }
          }
        }
      }
    }
  }

  /// Values that lie column by column, `rows` at each place, row by row: column `c` of the output from `places[c]`.
  static func turn<Value>(
    _ values: UnsafePointer<Value>, rows: Int, _ places: some RandomAccessCollection<Int>,
    into output: UnsafeMutablePointer<Value>
  ) {
    let columns = places.count
    for start in stride(from: 0, to: columns, by: copied) {
      let some = places.dropFirst(start).prefix(copied)
      for row in 0..<rows {
        var target = row * columns + start
        for place in some {
          output[target] = values[place * rows + row]
          target += 1
        }
      }
    }
  }
}
