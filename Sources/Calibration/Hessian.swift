/// Second moments of the inputs of one linear weight: the mean of x x^T over the tokens that reached it, or only its
/// diagonal. The squared error of a weight's output is the trace of E H E^T, where E is the weight's error.
public struct Hessian: Sendable {
  /// Length of a row of the weight.
  public let columns: Int
  public var moments: Moments
  /// Tokens that the mean is over, or nil if the source doesn't say.
  public var tokens: Int?

  public enum Moments: Sendable {
    /// `columns` squared values, row-major.
    case full([Float])
    case diagonal([Float])
  }

  public init(columns: Int, moments: Moments, tokens: Int?) {
    self.columns = columns
    self.moments = moments
    self.tokens = tokens
  }

  /// The mean square of each input.
  public var diagonal: [Float] {
    switch moments {
    case .full(let values): (0..<columns).map { values[$0 * columns + $0] }
    case .diagonal(let values): values
    }
  }

  /// True if the moments are those of another, bit for bit.
  public func hasMoments(of other: Hessian) -> Bool {
    switch (moments, other.moments) {
    case (.full(let a), .full(let b)), (.diagonal(let a), .diagonal(let b)): a == b
    default: false
    }
  }

  /// Throws `SolverError.hessian` unless it has its size, all values are finite, none of the diagonal is negative, and
  /// it is symmetric to within rounding.
  func check() throws(SolverError) {
    switch moments {
    case .diagonal(let values):
      guard values.count == columns else { throw .hessian("it has \(values.count) values for \(columns) columns") }
      try checkDiagonal(values)
    case .full(let values):
      guard values.count == columns * columns else {
        throw .hessian("it has \(values.count) values for \(columns) columns")
      }
      let diagonal = diagonal
      try checkDiagonal(diagonal)
      try values.withUnsafeBufferPointer { (values) throws(SolverError) in
        try Self.checkSymmetry(values, diagonal)
      }
    }
  }

  /// By blocks, which stay in the cache with their mirror images.
  private static func checkSymmetry(
    _ values: UnsafeBufferPointer<Float>, _ diagonal: [Float]
  ) throws(SolverError) {
    let columns = diagonal.count
    for (rows, others) in SquareBlocks(columns).pairs {
      for row in rows {
        for column in others where column < row {
          let (a, b) = (values[row * columns + column], values[column * columns + row])
          let bound = (diagonal[row] * diagonal[column]).squareRoot()
          guard a.isFinite, b.isFinite, abs(a - b) <= 1e-3 * bound + .leastNormalMagnitude else {
            throw .hessian("values \(a) and \(b) of columns \(row) and \(column) aren't a symmetric pair")
          }
        }
      }
    }
  }

  private func checkDiagonal(_ values: [Float]) throws(SolverError) {
    if let column = values.firstIndex(where: { !$0.isFinite || $0 < 0 }) {
      throw .hessian("the mean square of input \(column) is \(values[column])")
    }
  }
}

/// What a solver can't work with.
public enum SolverError: Error, Equatable, CustomStringConvertible {
  /// Statistics that are no second moments.
  case hessian(String)
  /// A weight that isn't finite.
  case weight(row: Int, column: Int, value: Float)
  /// Weights, statistics and encoding don't fit one another.
  case shape(String)

  public var description: String {
    switch self {
    case .hessian(let reason): "the Hessian can't be used: \(reason)"
    case .weight(let row, let column, let value): "the weight in row \(row), column \(column) is \(value)"
    case .shape(let reason): reason
    }
  }
}
