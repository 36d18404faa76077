import CKernels
import Codecs

/// Goes over the groups of a solved weight again. With all other groups held, the best values of a group are known
/// exactly, and finding codes for them is a small problem of the same kind: the group is rounded anew towards them,
/// under its parameters as they are and under newly fitted ones, and takes what lowers the output's error. Each visit
/// lowers it, so that sweeps never do harm (block coordinate descent).
struct Refinement: Sendable {
  let encoding: any GroupEncoding
  let prepared: PreparedHessian
  let hessian: [Float]
  let pieces: [Piece]

  /// Columns that are visited together.
  struct Piece: Sendable {
    var group: Int
    var places: Range<Int>
    /// Whether they are a whole group, whose parameters may be fitted anew.
    var isGroup: Bool
    /// Upper triangular U with U^T U = inverse of their part of the damped Hessian.
    var factor: [Float]
  }

  /// The longest group whose parameters are fitted anew; the columns of longer ones are visited in pieces.
  private static let longestGroup = 128
  private static let pieceColumns = 64

  /// Nil where there is nothing to refine by.
  init?(encoding: any GroupEncoding, prepared: PreparedHessian) {
    guard prepared.factor != nil, case .full(let hessian) = prepared.damped else { return nil }
    self.encoding = encoding
    self.prepared = prepared
    self.hessian = hessian
    var pieces: [Piece] = []
    for step in prepared.schedule.steps {
      let isGroup = step.places.count <= Self.longestGroup
      let width = isGroup ? step.places.count : Self.pieceColumns
      for start in stride(from: step.places.lowerBound, to: step.places.upperBound, by: max(width, 1)) {
        let places = start..<min(start + width, step.places.upperBound)
        guard let factor = Self.factor(hessian, size: prepared.diagonal.count, places) else { continue }
        pieces.append(Piece(group: step.group, places: places, isGroup: isGroup, factor: factor))
      }
    }
    self.pieces = pieces
  }

  private static func factor(_ hessian: [Float], size: Int, _ places: Range<Int>) -> [Float]? {
    let part = places.flatMap { row in places.map { hessian[row * size + $0] } }
    return InverseFactor.of(part, size: places.count)
  }

  /// Refines a chunk that was solved, and whose `work` holds the original weights again.
  /// - Returns: the trace of E H E^T that is left, with the damped Hessian.
  func run(_ chunk: RowChunk, sweeps: Int) -> Double {
    let count = chunk.rows * chunk.columns
    let gradient = UnsafeMutablePointer<Float>.allocate(capacity: count)
    defer { gradient.deallocate() }
    for _ in 0..<sweeps {
      for index in 0..<count { chunk.work[index] = chunk.decoded[index] - chunk.work[index] }
      product(hessian, chunk.work, chunk, into: gradient)
      for index in 0..<count { chunk.work[index] = chunk.decoded[index] - chunk.work[index] }
      for piece in pieces { visit(piece, chunk, gradient) }
    }
    var error = 0.0
    for index in 0..<count { error += Double(chunk.decoded[index] - chunk.work[index]) * Double(gradient[index]) }
    return error
  }

  private func product(
    _ matrix: [Float], _ values: UnsafePointer<Float>, _ chunk: RowChunk, into target: UnsafeMutablePointer<Float>
  ) {
    matrix.withUnsafeBufferPointer {
      guard let base = $0.baseAddress else { return }
      LinearAlgebra.product(
        base, stride: chunk.columns, values, rows: chunk.columns, columns: chunk.rows, depth: chunk.columns,
        into: target)
    }
  }

  private func visit(_ piece: Piece, _ chunk: RowChunk, _ gradient: UnsafeMutablePointer<Float>) {
    let start = piece.places.lowerBound * chunk.rows
    let problem = PieceProblem(piece, chunk, gradient: gradient + start, encoding: encoding)
    let anew = problem.rounded(
      scales: chunk.scales + piece.group * chunk.rows, zeros: chunk.zeros + piece.group * chunk.rows)
    let fits = piece.isGroup ? problem.fits(diagonalWeights(piece)) : []
    let refitted = fits.isEmpty ? nil : problem.rounded(fits: fits)
    problem.take(anew: anew, refitted: refitted, fits: fits)
    // What the change does to the gradient of all columns.
    hessian.withUnsafeBufferPointer {
      guard let base = $0.baseAddress else { return }
      LinearAlgebra.subtractProduct(
        base + piece.places.lowerBound * chunk.columns, stride: chunk.columns, problem.change, rows: chunk.columns,
        columns: chunk.rows, depth: piece.places.count, from: gradient)
    }
  }

  /// 1 / U_jj^2 of each column of a piece.
  private func diagonalWeights(_ piece: Piece) -> [Float] {
    let width = piece.places.count
    return (0..<width).map { 1 / (piece.factor[$0 * width + $0] * piece.factor[$0 * width + $0]) }
  }
}
