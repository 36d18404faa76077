import Calibration
import Checkpoints

/// Which of the weights that a recipe quantizes a file of statistics serves.
public struct CalibrationReport: Sendable {
  /// By role, in the order of the model.
  public let roles: [(role: String, coverage: CalibrationCoverage)]
  public let total: CalibrationCoverage
  private let statistics: any CalibrationSource

  public init(_ checkpoint: any Checkpoint, recipe: Recipe, statistics: any CalibrationSource) {
    self.statistics = statistics
    let quantized = checkpoint.tensors.filter { tensor in
      guard TargetEncoding.isFloat(tensor.codec) else { return false }
      switch recipe.treatment(name: tensor.name, role: tensor.role) {
      case .quantize, .solve: return true
      case .keep, .lossless, .drop: return false
      }
    }
    let weights = quantized.map { (role: $0.role.word, matrices: WeightName.matrices(of: $0)) }
    total = CalibrationCoverage(of: statistics, weights: weights.flatMap(\.matrices))
    let words = weights.reduce(into: [String]()) { if !$0.contains($1.role) { $0.append($1.role) } }
    roles = words.map { word in
      let matrices = weights.filter { $0.role == word }.flatMap(\.matrices)
      return (word, CalibrationCoverage(of: statistics, weights: matrices))
    }
  }

  /// True if every weight has statistics of its size, its own or its pool's.
  public var isComplete: Bool { total.missing.isEmpty && total.wrongSize.isEmpty }

  public func tokens(of name: String) -> Int? { statistics.tokens(of: name) }
}

extension CalibrationCoverage {
  /// Weights that were looked at.
  public var count: Int { covered.count + pooled.count + missing.count + wrongSize.count }
}
