/// The mean squares of an importance matrix under the names that a model has for its weights.
public struct ImatrixStatistics: CalibrationSource {
  /// Where the statistics of a weight are.
  public struct Weight: Sendable, Hashable {
    /// The weight's own name.
    public var name: String
    /// The entry of the importance matrix.
    public var entry: String
    /// Which expert of the entry it is, and of how many.
    public var expert: Int
    public var experts: Int

    public init(name: String, entry: String, expert: Int = 0, experts: Int = 1) {
      self.name = name
      self.entry = entry
      self.expert = expert
      self.experts = experts
    }
  }

  private let matrix: ImportanceMatrix
  private let weights: [String: Weight]
  public let names: [String]

  /// Of the weights that the matrix has entries for.
  public init(_ matrix: ImportanceMatrix, weights: [Weight]) {
    self.matrix = matrix
    let known = weights.filter { weight in
      guard let entry = matrix.entry(named: weight.entry), weight.experts > 0 else { return false }
      return entry.values % weight.experts == 0
    }
    self.weights = Dictionary(known.map { ($0.name, $0) }) { first, _ in first }
    names = self.weights.keys.sorted()
  }

  public func columns(of name: String) -> Int? {
    guard let weight = weights[name], let entry = matrix.entry(named: weight.entry) else { return nil }
    return entry.values / weight.experts
  }

  /// Tokens that reached an expert; nil where the file has no count for each.
  public func tokens(of name: String) -> Int? {
    guard let weight = weights[name], weight.experts > 1, let entry = matrix.entry(named: weight.entry),
      entry.counts.count == weight.experts
    else { return nil }
    return Int(max(0, min(entry.counts[weight.expert], 0x1p52)))
  }

  public func hessian(of name: String) throws -> Hessian? {
    guard let weight = weights[name], let columns = columns(of: name) else { return nil }
    var hessian = try matrix.diagonal(of: weight.entry, columns: columns, expert: weight.expert)
    hessian?.tokens = tokens(of: name)
    return hessian
  }
}
