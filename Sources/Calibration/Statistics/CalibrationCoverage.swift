/// Which weights of a model a file of statistics serves.
public struct CalibrationCoverage: Sendable, Equatable {
  /// Weights with statistics of their size.
  public var covered: [String] = []
  /// Weights without statistics of their own, whose layer's other experts have some.
  public var pooled: [String] = []
  /// Weights without statistics.
  public var missing: [String] = []
  /// Weights whose statistics are of another number of inputs.
  public var wrongSize: [String] = []
  /// Covered weights that fewer tokens reached than they have inputs, with the tokens: their statistics lean on their
  /// layer's other experts.
  public var fewTokens: [FewTokens] = []
  /// Statistics of weights that the model doesn't have.
  public var unused: [String] = []

  /// - Parameter weights: names and row lengths of the weights to be quantized.
  public init(of source: any CalibrationSource, weights: [(name: String, columns: Int)]) {
    let pools = Set(source.names.compactMap(PooledCalibration.pool(of:)))
    for (name, columns) in weights {
      guard let found = source.columns(of: name) else {
        if let pool = PooledCalibration.pool(of: name), pools.contains(pool) {
          pooled.append(name)
        } else {
          missing.append(name)
        }
        continue
      }
      guard found == columns else {
        wrongSize.append(name)
        continue
      }
      covered.append(name)
      if let tokens = source.tokens(of: name), tokens < columns {
        fewTokens.append(FewTokens(name: name, tokens: tokens))
      }
    }
    let known = Set(weights.map(\.name))
    unused = source.names.filter { !known.contains($0) }
  }

  /// A weight, and the tokens that reached it.
  public struct FewTokens: Sendable, Equatable {
    public var name: String
    public var tokens: Int
  }
}
