import Pipeline

/// Statistics in which experts that saw few tokens lean on their layer's other experts.
///
/// The weights of the experts of one layer that differ only in the expert's number form a pool, whose statistics are
/// those of all its tokens together. An expert with `n` tokens and `c` inputs takes
///
///     (n * own + c * pool) / (n + c)
///
/// as if the pool had added one token for each input: without them a Hessian of `c` inputs has full rank only from
/// `c` tokens on. With many tokens hardly anything changes; an expert without any takes the pool's. Weights that
/// belong to no pool keep what they have.
public struct PooledCalibration: CalibrationSource {
  private let source: any CalibrationSource
  private let pools: [String: [String]]
  private let cache = Monitor<(key: String, hessian: Hessian)?>(nil)

  public init(_ source: any CalibrationSource) {
    self.source = source
    pools = Dictionary(grouping: source.names.filter { Self.pool(of: $0) != nil }) { Self.pool(of: $0) ?? "" }
  }

  public var names: [String] { source.names }
  public func columns(of name: String) -> Int? { source.columns(of: name) }
  public func tokens(of name: String) -> Int? { source.tokens(of: name) }

  /// The name with `*` for the number that follows a part "experts", or nil if there is none.
  public static func pool(of name: String) -> String? {
    var parts = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    guard let index = parts.firstIndex(of: "experts"), index + 1 < parts.count, Int(parts[index + 1]) != nil else {
      return nil
    }
    parts[index + 1] = "*"
    return parts.joined(separator: ".")
  }

  /// The statistics of a weight, or of its pool if it has none itself.
  public func hessian(of name: String) throws -> Hessian? {
    let own = try source.hessian(of: name)
    guard let key = Self.pool(of: name), let pool = try pooled(key) else { return own }
    guard let own, let tokens = own.tokens, tokens > 0 else { return pool }
    guard own.columns == pool.columns else { return own }
    let share = Float(Double(own.columns) / Double(own.columns + tokens))
    return own.mixed(with: pool, share: share)
  }

  /// The statistics of all tokens of a pool. One pool is kept: weights come in order of layers.
  private func pooled(_ key: String) throws -> Hessian? {
    if let kept = cache.withLock({ $0?.key == key ? $0?.hessian : nil }) { return kept }
    var sum: Hessian?
    for name in pools[key] ?? [] {
      guard let member = try source.hessian(of: name), let tokens = member.tokens, tokens > 0 else { continue }
      guard let before = sum, let seen = before.tokens, before.columns == member.columns else {
        if sum == nil { sum = member }
        continue
      }
      sum = before.mixed(with: member, share: Float(Double(tokens) / Double(seen + tokens)))
      sum?.tokens = seen + tokens
    }
    if let sum { cache.withLock { $0 = (key, sum) } }
    return sum
  }
}

extension Hessian {
  /// (1 - share) * self + share * other. Where one is a diagonal alone, so is the result.
  func mixed(with other: Hessian, share: Float) -> Hessian {
    func mix(_ a: [Float], _ b: [Float]) -> [Float] { zip(a, b).map { $0 * (1 - share) + $1 * share } }
    var mixed = self
    if case .full(let own) = moments, case .full(let others) = other.moments {
      mixed.moments = .full(mix(own, others))
    } else {
      mixed.moments = .diagonal(mix(diagonal, other.diagonal))
    }
    return mixed
  }
}
