import CKernels
import Codecs
import Pipeline

/// Puts solved runs of rows together, in order.
final class SolvedAssembly: Sendable {
  private let encoding: any GroupEncoding
  private let prepared: PreparedHessian
  private let matrix: Monitor<SolvedMatrix>
  let groups: Int

  init(rows: Int, columns: Int, encoding: any GroupEncoding, prepared: PreparedHessian) {
    self.encoding = encoding
    self.prepared = prepared
    var blank = SolvedMatrix(
      rows: 0, columns: columns, groupColumns: encoding.groupColumns(columns),
      permutation: prepared.schedule.permutation, codes: [], scales: [], zeros: [],
      tiles: [], outliers: [], decoded: [], error: SolvedError())
    blank.codes.reserveCapacity(rows * columns)
    blank.decoded.reserveCapacity(rows * columns)
    groups = blank.groups
    matrix = Monitor(blank)
  }

  var result: SolvedMatrix { matrix.withLock { $0 } }

  func append(_ part: SolvedMatrix) {
    matrix.withLock { matrix in
      matrix.rows += part.rows
      matrix.codes += part.codes
      matrix.scales += part.scales
      matrix.zeros += part.zeros
      matrix.tiles += part.tiles
      matrix.outliers += part.outliers
      matrix.decoded += part.decoded
      matrix.error += part.error
    }
  }

  /// A solved chunk of `weights`, from their row `firstRow` on, with its rows as rows. `damped` is the trace of
  /// E H E^T with the damped Hessian, where solving has found it; else the chunk's `work` is used to find it.
  func part(_ chunk: RowChunk, of weights: [Float], firstRow: Int, damped: Double?) -> SolvedMatrix {
    let (rows, columns) = (chunk.rows, chunk.columns)
    let places = prepared.schedule.places
    let stored = prepared.schedule.isStored ? Array(0..<columns) : places
    let decoded = Self.rows(of: chunk.decoded, rows, places)
    let perRow = (0..<rows * groups).map { $0 % groups * rows + $0 / groups }
    var part = SolvedMatrix(
      rows: rows, columns: columns, groupColumns: encoding.groupColumns(columns),
      codes: Self.rows(of: chunk.codes, rows, stored), scales: perRow.map { chunk.scales[$0] },
      zeros: perRow.map { chunk.zeros[$0] }, tiles: tiles(chunk), outliers: outliers(chunk, stored, firstRow: firstRow),
      decoded: decoded, error: SolvedError())
    part.error = error(chunk, of: weights, firstRow: firstRow, decoded: decoded, damped: damped)
    return part
  }

  private static func rows<Value>(of values: UnsafePointer<Value>, _ rows: Int, _ places: [Int]) -> [Value] {
    [Value](unsafeUninitializedCapacity: rows * places.count) { output, count in
      count = rows * places.count
      guard let output = output.baseAddress else { return }
      RowChunk.turn(values, rows: rows, places, into: output)
    }
  }

  private func outliers(_ chunk: RowChunk, _ stored: [Int], firstRow: Int) -> [Outlier] {
    guard let kept = chunk.outliers else { return [] }
    let marks = Self.rows(of: kept.marks, chunk.rows, stored)
    return marks.indices.filter { marks[$0] }.map { index in
      let (row, column) = index.quotientAndRemainder(dividingBy: chunk.columns)
      return Outlier(position: firstRow * chunk.columns + index, bits: kept.bits[stored[column] * chunk.rows + row])
    }
  }

  /// Tile rows first, where the chunk has groups first.
  private func tiles(_ chunk: RowChunk) -> [BilevelTile] {
    let count = chunk.tiles.first?.count ?? 0
    return (0..<count).flatMap { index in chunk.tiles.map { $0[index] } }
  }

  private func error(
    _ chunk: RowChunk, of weights: [Float], firstRow: Int, decoded: [Float], damped: Double?
  ) -> SolvedError {
    let sums = weights.withUnsafeBufferPointer { weights -> bale_error_sums in
      guard let weights = weights.baseAddress else { return bale_error_sums() }
      return bale_measure_error(weights + firstRow * chunk.columns, decoded, decoded.count)
    }
    var error = SolvedError(plain: sums.squared_error, plainNorm: sums.squared_norm)
    if let damped {
      error.weighted = prepared.withoutDamping(damped, plain: error.plain)
    } else {
      chunk.load(weights, firstRow: firstRow, order: prepared.schedule.columns)
      for index in decoded.indices { chunk.work[index] -= chunk.decoded[index] }
      error.weighted = prepared.quadraticForm(chunk.work, rows: chunk.rows, plain: error.plain)
    }
    return error
  }
}

extension PreparedHessian {
  /// The trace of W H W^T of a weight of `rows` rows, row-major, without damping: the squared norm of its outputs.
  public func outputNorm(_ weights: [Float], rows: Int, threads: Int) throws -> Double {
    let columns = diagonal.count
    let runs = stride(from: 0, to: rows, by: Solver.chunkRows).map { $0..<min($0 + Solver.chunkRows, rows) }
    let sum = Monitor(0.0)
    try OrderedPipeline.run(
      count: runs.count, threads: threads, window: threads + 1,
      produce: { index in
        let chunk = RowChunk(rows: runs[index].count, columns: columns, groups: 0, hasOutliers: false)
        chunk.load(weights, firstRow: runs[index].lowerBound, order: schedule.columns)
        let plain = LinearAlgebra.sumOfSquares(chunk.work, count: chunk.rows * columns)
        return quadraticForm(chunk.work, rows: chunk.rows, plain: Double(plain))
      },
      consume: { _, part in sum.withLock { $0 += part } })
    return sum.withLock { $0 }
  }

  /// The trace of X H X^T for `rows` rows in columns of the order of rounding, without damping. `plain` is the sum of
  /// their squares.
  func quadraticForm(_ values: UnsafePointer<Float>, rows: Int, plain: Double) -> Double {
    switch damped {
    case nil: return plain
    case .diagonal(let diagonal):
      var sum = 0.0
      for (place, weight) in diagonal.enumerated() {
        for row in 0..<rows {
          sum += Double(weight - added) * Double(values[place * rows + row] * values[place * rows + row])
        }
      }
      return sum
    case .full(let matrix):
      return withoutDamping(symmetricForm(matrix, values, rows: rows), plain: plain)
    }
  }

  /// The trace of X H X^T given that with the damped Hessian.
  func withoutDamping(_ damped: Double, plain: Double) -> Double { max(damped - Double(added) * plain, 0) }

  /// Twice the products with later blocks of columns, once those in the block itself: half the work of a full product.
  private func symmetricForm(_ matrix: [Float], _ values: UnsafePointer<Float>, rows: Int) -> Double {
    let size = diagonal.count
    let side = 128
    let product = UnsafeMutablePointer<Float>.allocate(capacity: side * rows)
    defer { product.deallocate() }
    var sum = 0.0
    for first in stride(from: 0, to: size, by: side) {
      let width = min(side, size - first)
      for (start, end, factor) in [(first, first + width, 1.0), (first + width, size, 2.0)] where start < end {
        matrix.withUnsafeBufferPointer {
          guard let base = $0.baseAddress else { return }
          LinearAlgebra.product(
            base + first * size + start, stride: size, values + start * rows, rows: width, columns: rows,
            depth: end - start, into: product)
        }
        var partial = 0.0
        for index in 0..<width * rows { partial += Double(product[index] * values[first * rows + index]) }
        sum += factor * partial
      }
    }
    return sum
  }
}
