import CKernels
import Codecs

/// Rounding the columns of one piece, all others held: towards the values that would be best without rounding.
final class PieceProblem {
  /// A way to round the piece, and the error it leaves in each row.
  final class Rounding {
    let decoded: UnsafeMutablePointer<Float>
    let codes: UnsafeMutablePointer<UInt8>
    /// Of the weights that are kept apart; the others have none.
    let outlierBits: UnsafeMutablePointer<UInt16>
    var errors: [Float]

    init(count: Int, rows: Int) {
      decoded = .allocate(capacity: count)
      codes = .allocate(capacity: count)
      outlierBits = .allocate(capacity: count)
      outlierBits.initialize(repeating: 0, count: count)
      errors = [Float](repeating: 0, count: rows)
    }

    deinit {
      decoded.deallocate()
      codes.deallocate()
      outlierBits.deallocate()
    }
  }

  private let piece: Refinement.Piece
  private let chunk: RowChunk
  private let encoding: any GroupEncoding
  private let width: Int
  private let start: Int
  /// The best values without rounding, a column of rows for each place.
  private let target: UnsafeMutablePointer<Float>
  /// The error of the piece as it is, in each row.
  private var errors: [Float]
  /// The piece as it was less what it became.
  let change: UnsafeMutablePointer<Float>

  init(_ piece: Refinement.Piece, _ chunk: RowChunk, gradient: UnsafePointer<Float>, encoding: any GroupEncoding) {
    self.piece = piece
    self.chunk = chunk
    self.encoding = encoding
    width = piece.places.count
    start = piece.places.lowerBound * chunk.rows
    target = .allocate(capacity: width * chunk.rows)
    change = .allocate(capacity: width * chunk.rows)
    change.initialize(repeating: 0, count: width * chunk.rows)
    errors = [Float](repeating: 0, count: chunk.rows)
    findTarget(gradient)
  }

  deinit {
    target.deallocate()
    change.deallocate()
  }

  /// target = decoded - U^T U gradient, and the error is the square of U gradient.
  private func findTarget(_ gradient: UnsafePointer<Float>) {
    let rows = chunk.rows
    let steps = UnsafeMutablePointer<Float>.allocate(capacity: width * rows)
    defer { steps.deallocate() }
    target.update(from: chunk.decoded + start, count: width * rows)
    piece.factor.withUnsafeBufferPointer {
      guard let factor = $0.baseAddress else { return }
      LinearAlgebra.product(factor, stride: width, gradient, rows: width, columns: rows, depth: width, into: steps)
      LinearAlgebra.subtractProduct(
        factor, stride: width, steps, rows: width, columns: rows, depth: width, from: target)
    }
    for index in 0..<width { addSquares(steps + index * rows, to: &errors) }
  }

  private func addSquares(_ values: UnsafePointer<Float>, to sums: inout [Float]) {
    for row in sums.indices { sums[row] += values[row] * values[row] }
  }

  /// New parameters for each run of `groupRows` rows, fitted on the target.
  func fits(_ weights: [Float]) -> [GroupFit] {
    let values = UnsafeMutablePointer<Float>.allocate(capacity: width * chunk.rows)
    defer { values.deallocate() }
    RowChunk.turn(target, rows: chunk.rows, 0..<width, into: values)
    if let outliers = chunk.outliers { replace(outliers, in: values) }
    return weights.withUnsafeBufferPointer { weights in
      stride(from: 0, to: chunk.rows, by: encoding.groupRows).map { top in
        encoding.fit(
          TileValues(
            values: values + top * width, rows: min(encoding.groupRows, chunk.rows - top), columns: width,
            stride: width, weights: weights.baseAddress))
      }
    }
  }

  /// Outliers take no part in the fit: the mean of their row's others stands in their place.
  private func replace(_ outliers: RowChunk.KeptApart, in values: UnsafeMutablePointer<Float>) {
    for row in 0..<chunk.rows {
      let others = (0..<width).filter { !outliers.marks[start + $0 * chunk.rows + row] }
      guard others.count < width else { continue }
      let mean = others.reduce(0) { $0 + values[row * width + $1] } / Float(max(others.count, 1))
      for index in 0..<width where outliers.marks[start + index * chunk.rows + row] {
        values[row * width + index] = mean
      }
    }
  }

  func rounded(fits: [GroupFit]) -> Rounding {
    let scales = fits.flatMap(\.scales)
    let zeros = fits.flatMap(\.zeros)
    return scales.withUnsafeBufferPointer { scales in
      zeros.withUnsafeBufferPointer { zeros in
        guard let scales = scales.baseAddress, let zeros = zeros.baseAddress else {
          return Rounding(count: 0, rows: chunk.rows)
        }
        return rounded(scales: scales, zeros: zeros)
      }
    }
  }

  /// Rounds the columns towards the target one at a time, each column's error made up for in those after it.
  func rounded(scales: UnsafePointer<Float>, zeros: UnsafePointer<Float>) -> Rounding {
    let rows = chunk.rows
    let rounding = Rounding(count: width * rows, rows: rows)
    let work = UnsafeMutablePointer<Float>.allocate(capacity: (width + 1) * rows)
    defer { work.deallocate() }
    work.update(from: target, count: width * rows)
    let error = work + width * rows
    var grid = encoding.grid
    piece.factor.withUnsafeBufferPointer {
      guard let factor = $0.baseAddress else { return }
      for index in 0..<width {
        let values = work + index * rows
        let decoded = rounding.decoded + index * rows
        let codes = rounding.codes + index * rows
        bale_grid_round(&grid, values, scales, zeros, rows, codes, decoded)
        keepOutliers(index, values, rounding, &grid, scales, zeros)
        let inverse = 1 / factor[index * width + index]
        for row in 0..<rows { error[row] = (values[row] - decoded[row]) * inverse }
        addSquares(error, to: &rounding.errors)
        LinearAlgebra.subtractOuter(
          factor + index * width + index + 1, error, rows: width - index - 1, columns: rows, from: values + rows)
      }
    }
    return rounding
  }

  /// Weights that are kept apart stay so: they hold the value itself, and the code of 0.
  private func keepOutliers(
    _ index: Int, _ values: UnsafePointer<Float>, _ rounding: Rounding, _ grid: inout bale_grid,
    _ scales: UnsafePointer<Float>, _ zeros: UnsafePointer<Float>
  ) {
    guard let outliers = chunk.outliers, let spqr = (encoding as? BilevelEncoding)?.spqr else { return }
    var zero: Float = 0
    for row in 0..<chunk.rows where outliers.marks[start + index * chunk.rows + row] {
      let at = index * chunk.rows + row
      bale_grid_round(&grid, &zero, scales + row, zeros + row, 1, rounding.codes + at, rounding.decoded + at)
      (rounding.outlierBits[at], rounding.decoded[at]) = spqr.outlier(values[row], over: rounding.decoded[at])
    }
  }

  /// Gives each run of rows what leaves the least error: new codes under new parameters, or else in each row new codes
  /// or the old ones under the old parameters.
  func take(anew: Rounding, refitted: Rounding?, fits: [GroupFit]) {
    for (unit, top) in stride(from: 0, to: chunk.rows, by: encoding.groupRows).enumerated() {
      let rows = top..<min(top + encoding.groupRows, chunk.rows)
      let kept = rows.reduce(Float(0)) { $0 + min(errors[$1], anew.errors[$1]) }
      if let refitted, rows.reduce(0, { $0 + refitted.errors[$1] }) < kept {
        store(fits[unit], rows)
        for row in rows { copy(refitted, row) }
      } else {
        for row in rows where anew.errors[row] < errors[row] { copy(anew, row) }
      }
    }
  }

  private func store(_ fit: GroupFit, _ rows: Range<Int>) {
    for (index, row) in rows.enumerated() {
      chunk.scales[piece.group * chunk.rows + row] = fit.scales[index]
      chunk.zeros[piece.group * chunk.rows + row] = fit.zeros[index]
    }
    if let tile = fit.tile { chunk.tiles[piece.group][rows.lowerBound / encoding.groupRows] = tile }
  }

  private func copy(_ rounding: Rounding, _ row: Int) {
    for index in 0..<width {
      let at = index * chunk.rows + row
      change[at] = chunk.decoded[start + at] - rounding.decoded[at]
      chunk.decoded[start + at] = rounding.decoded[at]
      chunk.codes[start + at] = rounding.codes[at]
      chunk.outliers?.bits[start + at] = rounding.outlierBits[at]
    }
  }
}
