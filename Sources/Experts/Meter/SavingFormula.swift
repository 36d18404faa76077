import Codecs

/// What a cluster of N vectors could save, in bits a weight, from their Gram matrix alone: the rate-distortion
/// arithmetic of a Gaussian source, D(R) = variance * 2^(-2R).
public enum SavingFormula {
  /// -log2 det R / 2N: what any linear joint code can save at high rate, R being the correlation matrix. A source of
  /// `samples` weights shows (N - 1) / (4 ln 2 samples) where there is nothing to save; that is taken off.
  /// Infinite where vectors depend on one another exactly; 0 for fewer than two.
  public static func ideal(_ gram: GramMatrix, samples: Int) -> Double {
    guard gram.count > 1 else { return 0 }
    guard let logarithm = logDeterminant(gram.correlations, size: gram.count) else { return .infinity }
    let bias = Double(gram.count - 1) / (4 * 0.693_147_180_559_945_3 * Double(max(samples, 1)))
    return max(0, -logarithm / Double(2 * gram.count) - bias)
  }

  /// The least bits of the centroid's code that pay, and what is saved net with them, for residuals at `rate` bits.
  public struct Centroid: Sendable, Equatable {
    /// Bits a weight of the centroid itself.
    public var bits: Double
    /// Bits a weight that each member saves, its share of the centroid paid.
    public var saving: Double
  }

  /// Optimal centroid. With residual share r, mean power m = 1 - r and centroid error d, a residual has power r + d
  /// and needs log2(1 / (r + d)) / 2 bits less than the plain weight; the centroid costs log2(m / d) / 2N each. The
  /// best d is r / (N - 1), by setting the derivative to zero; its code is `overhead` bits from the bound.
  /// Without a mean there is nothing to gain: zero bits, saving 0.
  public static func centroid(_ gram: GramMatrix, overhead: Double) -> Centroid {
    let count = Double(gram.count)
    let residual = max(gram.residualShare, 1e-12)
    let mean = 1 - residual
    guard gram.count > 1, mean > 0 else { return Centroid(bits: 0, saving: 0) }
    let error = min(residual / (count - 1), mean)
    let bits = max(0, 0.5 * BinaryLogarithm.of(mean / error)) + overhead
    let saving = -0.5 * BinaryLogarithm.of(residual + error) - bits / count
    return saving > 0 ? Centroid(bits: bits, saving: saving) : Centroid(bits: 0, saving: 0)
  }

  /// log2 of the determinant of a symmetric positive definite matrix by Cholesky; nil if it isn't.
  static func logDeterminant(_ matrix: [Double], size: Int) -> Double? {
    var factor = matrix
    var logarithm = 0.0
    for column in 0..<size {
      let pivot = factor[column * size + column]
      guard pivot > 1e-12 else { return nil }
      logarithm += BinaryLogarithm.of(pivot)
      for row in column + 1..<max(size, column + 1) {
        let ratio = factor[row * size + column] / pivot
        for next in column + 1..<size { factor[row * size + next] -= ratio * factor[column * size + next] }
      }
    }
    return logarithm
  }
}
