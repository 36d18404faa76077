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

  /// A solved chunk with its rows as rows and its columns in their natural order; `work` holds the original
  /// weights. `damped` is the trace of E H E^T with the damped Hessian, where solving has found it.
  func part(_ chunk: RowChunk, firstRow: Int, damped: Double?) -> SolvedMatrix {
    let (rows, columns) = (chunk.rows, chunk.columns)
    let count = rows * columns
    let places = prepared.schedule.places
    let stored = prepared.schedule.isStored ? Array(0..<columns) : places
    var outliers: [Outlier] = []
    var codes = [UInt8](repeating: 0, count: count)
    var decoded = [Float](repeating: 0, count: count)
    for row in 0..<rows {
      for column in 0..<columns {
        decoded[row * columns + column] = chunk.decoded[places[column] * rows + row]
        let from = stored[column] * rows + row
        codes[row * columns + column] = chunk.codes[from]
        guard chunk.isOutlier[from] else { continue }
        outliers.append(
          Outlier(position: (firstRow + row) * columns + column, bits: chunk.outlierBits[from]))
      }
    }
    let perRow = (0..<rows * groups).map { $0 % groups * rows + $0 / groups }
    return SolvedMatrix(
      rows: rows, columns: columns, groupColumns: encoding.groupColumns(columns), codes: codes,
      scales: perRow.map { chunk.scales[$0] }, zeros: perRow.map { chunk.zeros[$0] }, tiles: tiles(chunk),
      outliers: outliers, decoded: decoded, error: error(chunk, damped: damped))
  }

  /// Tile rows first, where the chunk has groups first.
  private func tiles(_ chunk: RowChunk) -> [BilevelTile] {
    let count = chunk.tiles.first?.count ?? 0
    return (0..<count).flatMap { index in chunk.tiles.map { $0[index] } }
  }

  /// Of a chunk whose `work` holds the original weights; then it holds their errors.
  private func error(_ chunk: RowChunk, damped: Double?) -> SolvedError {
    var error = SolvedError()
    let count = chunk.rows * chunk.columns
    error.plainNorm = chunk.sumOfSquares()
    error.weightedNorm = prepared.quadraticForm(chunk.work, rows: chunk.rows, plain: error.plainNorm)
    for index in 0..<count { chunk.work[index] -= chunk.decoded[index] }
    error.plain = chunk.sumOfSquares()
    error.weighted =
      damped.map { prepared.withoutDamping($0, plain: error.plain) }
      ?? prepared.quadraticForm(chunk.work, rows: chunk.rows, plain: error.plain)
    return error
  }
}

extension RowChunk {
  /// Of `work`.
  func sumOfSquares() -> Double {
    var sum = 0.0
    for index in 0..<rows * columns { sum += Double(work[index]) * Double(work[index]) }
    return sum
  }
}

extension PreparedHessian {
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
