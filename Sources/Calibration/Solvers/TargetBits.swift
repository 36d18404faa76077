import Codecs

/// Finds the threshold of SpQR's outliers that spends a given number of bits.
public struct TargetBits: Sendable {
  /// Bits a weight, everything included: codes, statistics of both levels, outliers and their index.
  public var bits: Double
  /// How far below the target the result may be before the search goes on.
  public var tolerance: Double

  /// Thresholds that are worth trying: beyond the largest nothing is an outlier, below the smallest nearly all is.
  private static let thresholds: ClosedRange<Float> = 0x1p-14...0x1p6
  /// Halvings of the range of exponents, which leave a hundredth of a power of two.
  private static let attempts = 11

  public init(bits: Double, tolerance: Double = 0.01) {
    self.bits = bits
    self.tolerance = tolerance
  }

  /// Solves a weight so that it takes at most the target, and less by at most the tolerance if some threshold does
  /// that. The solver's own threshold is not used. Throws `SolverError.shape` if the encoding takes more even without
  /// outliers.
  public func solve(
    _ weights: [Float], rows: Int, prepared: PreparedHessian, with solver: Solver
  ) throws -> (solved: SolvedMatrix, threshold: Float) {
    let sweeps = solver.sweeps
    var solver = solver
    // Sweeps keep the outliers, and so the bits.
    solver.sweeps = 0
    let leavesOut = solver.outliers?.leavesOut ?? true
    func attempt(_ threshold: Float) throws -> (solved: SolvedMatrix, bits: Double) {
      solver.outliers = OutlierRule(threshold: threshold, leavesOut: leavesOut)
      let solved = try solver.solve(weights, rows: rows, prepared: prepared)
      let bytes = try solver.encoding.planes(solved).reduce(0) { $0 + $1.count }
      return (solved, weights.isEmpty ? 0 : Double(bytes * 8) / Double(weights.count))
    }
    var high = Self.thresholds.upperBound
    var (best, spent) = try attempt(high)
    guard spent <= bits else {
      throw SolverError.shape("\(solver.encoding.codec.descriptor) takes \(spent) bits a weight without outliers")
    }
    var low = Self.thresholds.lowerBound
    for _ in 0..<Self.attempts where bits - spent > tolerance {
      let middle = (low * high).squareRoot()
      let (solved, found) = try attempt(middle)
      if found > bits { low = middle } else { (high, best, spent) = (middle, solved, found) }
    }
    guard sweeps > 0 else { return (best, high) }
    solver.sweeps = sweeps
    return (try attempt(high).solved, high)
  }
}
