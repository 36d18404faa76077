import Calibration

/// The importance of the columns of one tensor: one row of numbers for each of the matrices stacked in it.
struct TensorImportance: Sendable {
  let matrix: ImportanceMatrix
  let entry: ImportanceMatrix.Entry
  let columns: Int
  /// Rows of one of the stacked matrices.
  let rowsPerSlice: Int

  /// The rows of a range, cut where another matrix begins, each run with its importance.
  func runs(of rows: Range<Int>) throws -> [(rows: Range<Int>, importance: [Float])] {
    guard rowsPerSlice > 0, !rows.isEmpty else { return [] }
    return try (rows.lowerBound / rowsPerSlice...(rows.upperBound - 1) / rowsPerSlice).map { slice in
      let part = rows.clamped(to: slice * rowsPerSlice..<(slice + 1) * rowsPerSlice)
      return (part, try matrix.meanSquares(slice * columns..<(slice + 1) * columns, of: entry))
    }
  }
}
