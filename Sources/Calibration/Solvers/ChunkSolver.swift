import CKernels
import Codecs

/// Solves one run of rows: fits the parameters of each group on the weights as they are by then, rounds its columns
/// one at a time, and makes up for each column's error in those that follow (Frantar et al., "GPTQ", 2023), in blocks
/// of columns so that most of the work is matrix products.
struct ChunkSolver {
  let encoding: any GroupEncoding
  let prepared: PreparedHessian
  /// The squared error, in the units of the factor, beyond which a weight is kept apart.
  let threshold: Float
  let leaveOneOut: LeaveOneOut?

  /// Columns whose errors are passed on to all later columns at once.
  static let blockColumns = 64

  /// - Returns: the sum of squared errors in the units of the factor. Where errors are passed on, that is the trace of
  ///   E H E^T with the damped Hessian: E is the errors times the factor U, and U H U^T is 1.
  func run(_ chunk: RowChunk) -> Double {
    let errors = UnsafeMutablePointer<Float>.allocate(capacity: Self.blockColumns * chunk.rows)
    defer { errors.deallocate() }
    var grid = encoding.grid
    var steps = prepared.schedule.steps[...]
    var (group, sum) = (0, 0.0)
    for block in prepared.schedule.blocks(limit: Self.blockColumns) {
      for place in block {
        if let step = steps.first, step.places.lowerBound == place {
          fit(step, chunk)
          group = step.group
          steps.removeFirst()
        }
        let error = errors + (place - block.lowerBound) * chunk.rows
        round(place, group: group, &grid, chunk, error: error)
        sum += Double(LinearAlgebra.sumOfSquares(error, count: chunk.rows))
        passOn(error, from: place, to: place + 1..<block.upperBound, chunk)
      }
      passOn(errors, block: block, chunk)
    }
    return sum
  }

  /// Fits the parameters of a group for all rows.
  private func fit(_ step: GroupSchedule.Step, _ chunk: RowChunk) {
    let width = step.places.count
    let values = UnsafeMutablePointer<Float>.allocate(capacity: chunk.rows * width)
    defer { values.deallocate() }
    RowChunk.turn(chunk.work, rows: chunk.rows, step.places, into: values)
    let weights = step.places.map { 1 / (prepared.diagonal[$0] * prepared.diagonal[$0]) }
    weights.withUnsafeBufferPointer { weights in
      guard let weights = weights.baseAddress else { return }
      if var leaveOneOut {
        leaveOneOut.replaceOutliers(values, rows: chunk.rows, columns: width, weights: weights)
      }
      for top in stride(from: 0, to: chunk.rows, by: encoding.groupRows) {
        let tile = TileValues(
          values: values + top * width, rows: min(encoding.groupRows, chunk.rows - top), columns: width,
          stride: width, weights: weights)
        let fit = encoding.fit(tile)
        for row in 0..<tile.rows {
          chunk.scales[step.group * chunk.rows + top + row] = fit.scales[row]
          chunk.zeros[step.group * chunk.rows + top + row] = fit.zeros[row]
        }
        if let tile = fit.tile { chunk.tiles[step.group].append(tile) }
      }
    }
  }

  /// Rounds a column, and writes its errors divided by the factor's diagonal.
  private func round(
    _ place: Int, group: Int, _ grid: inout bale_grid, _ chunk: RowChunk, error: UnsafeMutablePointer<Float>
  ) {
    let rows = chunk.rows
    let (scales, zeros) = (chunk.scales + group * rows, chunk.zeros + group * rows)
    let (values, decoded, codes) = (
      chunk.work + place * rows, chunk.decoded + place * rows, chunk.codes + place * rows
    )
    bale_grid_round(&grid, values, scales, zeros, rows, codes, decoded)
    let inverse = 1 / prepared.diagonal[place]
    for row in 0..<rows { error[row] = (values[row] - decoded[row]) * inverse }
    guard threshold < .infinity, let outliers = chunk.outliers, let spqr = (encoding as? BilevelEncoding)?.spqr
    else { return }
    var zero: Float = 0
    for row in 0..<rows where error[row] * error[row] > threshold {
      outliers.marks[place * rows + row] = true
      bale_grid_round(&grid, &zero, scales + row, zeros + row, 1, codes + row, decoded + row)
      (outliers.bits[place * rows + row], decoded[row]) = spqr.outlier(values[row], over: decoded[row])
      error[row] = (values[row] - decoded[row]) * inverse
    }
  }

  /// Makes up for a column's error in columns of its block.
  private func passOn(_ error: UnsafePointer<Float>, from place: Int, to later: Range<Int>, _ chunk: RowChunk) {
    guard let factor = prepared.factor else { return }
    factor.withUnsafeBufferPointer {
      guard let base = $0.baseAddress else { return }
      LinearAlgebra.subtractOuter(
        base + place * chunk.columns + later.lowerBound, error, rows: later.count, columns: chunk.rows,
        from: chunk.work + later.lowerBound * chunk.rows)
    }
  }

  /// Makes up for the errors of a block in all columns after it.
  private func passOn(_ errors: UnsafePointer<Float>, block: Range<Int>, _ chunk: RowChunk) {
    guard let factor = prepared.factor else { return }
    factor.withUnsafeBufferPointer {
      guard let base = $0.baseAddress else { return }
      LinearAlgebra.subtractProduct(
        base + block.lowerBound * chunk.columns + block.upperBound, stride: chunk.columns, errors,
        rows: chunk.columns - block.upperBound, columns: chunk.rows, depth: block.count,
        from: chunk.work + block.upperBound * chunk.rows)
    }
  }
}
