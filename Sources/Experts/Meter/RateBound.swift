import Codecs

/// The least bits that any code of experts needs for a squared error, if they were Gaussian: at each place of a matrix
/// the weights of the N experts are a sample of N variables with the covariance that the meter found. In its principal
/// axes these are independent, and each costs log2(variance / level) / 2 bits where its variance is above the water
/// level, which is the error it is left with; the others cost nothing (Cover and Thomas, "Elements of information
/// theory", 10.3.3). One level serves all matrices.
///
/// No code comes below it unless the weights are other than Gaussian or depend on their neighbours.
public struct RateBound: Sendable {
  /// Variances in the principal axes of one matrix, and the weights of one expert that have them.
  private struct Part {
    var variances: [Double]
    var weights: Double
  }

  private let parts: [Part]
  private let weights: Double
  private let power: Double

  /// Of the experts of layers, their neurons aligned.
  public init(_ layers: [LayerSimilarity]) {
    let parts = layers.flatMap(\.matrices).map { matrix in
      let weights = Double(max(matrix.samples, 1))
      let products = SymmetricEigenvalues.of(matrix.after.values, size: matrix.after.count)
      return Part(variances: products.map { max(0, $0 / weights) }, weights: weights)
    }
    self.parts = parts
    weights = parts.reduce(0) { $0 + $1.weights * Double($1.variances.count) }
    power = parts.reduce(0) { $0 + $1.weights * $1.variances.reduce(0, +) }
  }

  /// Bits a weight, and squared error over squared norm, at a water level.
  private func point(level: Double) -> (bits: Double, error: Double) {
    var bits = 0.0
    var error = 0.0
    for part in parts {
      for variance in part.variances {
        error += part.weights * min(variance, level)
        if variance > level { bits += part.weights * 0.5 * BinaryLogarithm.of(variance / level) }
      }
    }
    return (bits / weights, error / power)
  }

  /// The least relative squared error at so many bits a weight.
  public func error(bits: Double) -> Double { search { $0.bits > bits }.error }

  /// The least bits a weight at a relative squared error.
  public func bits(error: Double) -> Double { search { $0.error < error }.bits }

  /// The point at which a condition that holds below a level ends.
  private func search(_ isBelow: ((bits: Double, error: Double)) -> Bool) -> (bits: Double, error: Double) {
    guard weights > 0, power > 0 else { return (0, 0) }
    var low = power / weights * 0x1p-40
    var high = parts.reduce(0) { max($0, $1.variances.max() ?? 0) }
    for _ in 0..<100 {
      let middle = (low * high).squareRoot()
      if isBelow(point(level: middle)) { low = middle } else { high = middle }
    }
    return point(level: high)
  }
}
