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
  /// True where a weight is kept apart.
  let isOutlier: UnsafeMutablePointer<Bool>
  /// What is stored of a weight that is kept apart.
  let outlierBits: UnsafeMutablePointer<UInt16>

  init(rows: Int, columns: Int, groups: Int) {
    self.rows = rows
    self.columns = columns
    let count = rows * columns
    work = .allocate(capacity: count)
    decoded = .allocate(capacity: count)
    decoded.initialize(repeating: 0, count: count)
    codes = .allocate(capacity: count)
    codes.initialize(repeating: 0, count: count)
    isOutlier = .allocate(capacity: count)
    isOutlier.initialize(repeating: false, count: count)
    outlierBits = .allocate(capacity: count)
    outlierBits.initialize(repeating: 0, count: count)
    scales = .allocate(capacity: rows * groups)
    scales.initialize(repeating: 0, count: rows * groups)
    zeros = .allocate(capacity: rows * groups)
    zeros.initialize(repeating: 0, count: rows * groups)
    tiles = Array(repeating: [], count: groups)
  }

  deinit {
    work.deallocate()
    decoded.deallocate()
    codes.deallocate()
    isOutlier.deallocate()
    outlierBits.deallocate()
    scales.deallocate()
    zeros.deallocate()
  }

  /// Fills `work` with rows of a matrix from `firstRow` on, its columns in the order given.
  func load(_ weights: [Float], firstRow: Int, order: [Int]) {
    weights.withUnsafeBufferPointer { weights in
      for (place, column) in order.enumerated() {
        for row in 0..<rows { work[place * rows + row] = weights[(firstRow + row) * columns + column] }
      }
    }
  }

  /// The values of some places as rows: `places.count` values for each row.
  func gather(_ places: Range<Int>, into group: UnsafeMutablePointer<Float>) {
    for (index, place) in places.enumerated() {
      for row in 0..<rows { group[row * places.count + index] = work[place * rows + row] }
    }
  }
}
