import Codecs

/// Finds the threshold of SpQR's outliers that spends a given number of bits.
public struct TargetBits: Sendable {
  /// Bits a weight, everything included: codes, statistics of both levels, outliers and their index.
  public var bits: Double
  /// How far below the target the result may be before the search goes on.
  public var tolerance: Double

  /// Powers of two of the thresholds that are worth trying: beyond the largest nothing is an outlier, below the
  /// smallest nearly all is.
  private static let exponents: ClosedRange<Double> = -14...6
  /// Where the search begins: about what SpQR's authors recommend.
  private static let first = -2.0
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
    func attempt(_ exponent: Double) throws -> Attempt {
      solver.outliers = OutlierRule(threshold: Self.threshold(exponent), leavesOut: leavesOut)
      let solved = try solver.solve(weights, rows: rows, prepared: prepared)
      let bytes = try solver.encoding.planes(solved).reduce(0) { $0 + $1.count }
      return Attempt(
        exponent: exponent, bits: weights.isEmpty ? 0 : Double(bytes * 8) / Double(weights.count), solved: solved)
    }
    var best = try attempt(Self.exponents.upperBound)
    guard best.bits <= bits else {
      throw SolverError.shape("\(solver.encoding.codec.descriptor) takes \(best.bits) bits a weight without outliers")
    }
    var tooMany: Attempt?
    for _ in 0..<Self.attempts where bits - best.bits > tolerance && best.exponent > Self.exponents.lowerBound {
      let found = try attempt(next(after: best, tooMany))
      if found.bits > bits { tooMany = found } else { best = found }
    }
    solver.sweeps = sweeps
    solver.outliers = OutlierRule(threshold: Self.threshold(best.exponent), leavesOut: leavesOut)
    let solved = sweeps > 0 ? try solver.solve(weights, rows: rows, prepared: prepared) : best.solved
    return (solved, Self.threshold(best.exponent))
  }

  /// What a threshold came to.
  private struct Attempt {
    var exponent: Double
    var bits: Double
    var solved: SolvedMatrix
  }

  /// The threshold to try: on the line between two that enclose the target, away from both, or else a factor of four
  /// further.
  private func next(after best: Attempt, _ tooMany: Attempt?) -> Double {
    guard let tooMany else {
      return best.exponent == Self.exponents.upperBound
        ? Self.first : max(best.exponent - 2, Self.exponents.lowerBound)
    }
    let width = best.exponent - tooMany.exponent
    guard width <= 2 else { return min(tooMany.exponent + 2, best.exponent - width / 8) }
    let share = (tooMany.bits - bits + tolerance / 2) / (tooMany.bits - best.bits)
    return tooMany.exponent + width * min(max(share, 0.1), 0.9)
  }

  /// About 2 to that power.
  private static func threshold(_ exponent: Double) -> Float {
    // Between whole powers the line serves as well as the curve: it rises all the same.
    let whole = exponent.rounded(.down)
    return Float(sign: .plus, exponent: Int(whole), significand: Float(1 + exponent - whole))
  }
}
