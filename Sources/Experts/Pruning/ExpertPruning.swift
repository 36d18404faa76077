/// Which experts of a layer stay, and under which number: a pure plan, made before any weight is read.
public struct ExpertPruning: Sendable, Equatable {
  public let layer: Int
  /// How many experts the layer had.
  public let total: Int
  /// Old numbers of the experts that stay, ascending: new expert `i` comes of `kept[i]`.
  public let kept: [Int]
  /// Old experts whose mean each new expert is; one member where nothing is merged.
  public let sources: [[Int]]

  /// Drops experts. Throws `ExpertError.noSuchExpert`, or `tooFewExperts` if fewer would stay than the router picks.
  public static func dropping(
    _ experts: Set<Int>, layer: Int, of count: Int, routedTo needed: Int
  ) throws -> ExpertPruning {
    if let unknown = experts.sorted().first(where: { !(0..<count).contains($0) }) {
      throw ExpertError.noSuchExpert(layer: layer, expert: unknown)
    }
    let kept = (0..<count).filter { !experts.contains($0) }
    return try ExpertPruning(layer: layer, sources: kept.map { [$0] }, of: count, routedTo: needed)
  }

  /// Keeps the `keeping` experts that the router used most; of equals, the first.
  public static func droppingLeastUsed(
    keeping: Int, counts: [Int], layer: Int, of count: Int, routedTo needed: Int
  ) throws -> ExpertPruning {
    guard counts.count == count else {
      throw ExpertError.routerCounts(layer: layer, expected: count, found: counts.count)
    }
    let byUse = (0..<count).sorted { (-counts[$0], $0) < (-counts[$1], $1) }
    return try dropping(Set(byUse.dropFirst(max(0, keeping))), layer: layer, of: count, routedTo: needed)
  }

  /// Merges each cluster into its mean, which takes the place of its first member.
  public static func merging(
    _ clusters: [[Int]], layer: Int, of count: Int, routedTo needed: Int
  ) throws -> ExpertPruning {
    let named = clusters.flatMap { $0 }
    if let unknown = named.first(where: { !(0..<count).contains($0) }) ?? repeated(named) {
      throw ExpertError.noSuchExpert(layer: layer, expert: unknown)
    }
    let alone = (0..<count).filter { !named.contains($0) }.map { [$0] }
    let sources = (clusters.filter { !$0.isEmpty }.map { $0.sorted() } + alone).sorted { $0[0] < $1[0] }
    return try ExpertPruning(layer: layer, sources: sources, of: count, routedTo: needed)
  }

  private init(layer: Int, sources: [[Int]], of count: Int, routedTo needed: Int) throws {
    guard sources.count >= needed else {
      throw ExpertError.tooFewExperts(layer: layer, kept: sources.count, needed: needed)
    }
    self.layer = layer
    total = count
    self.sources = sources
    kept = sources.map { $0[0] }
  }

  private static func repeated(_ experts: [Int]) -> Int? {
    var seen: Set<Int> = []
    return experts.first { !seen.insert($0).inserted }
  }

  /// New number of an old expert; nil if it is dropped. Members of a merged cluster share one.
  public func newNumber(of expert: Int) -> Int? { sources.firstIndex { $0.contains(expert) } }

  /// The router's rows (weight or bias, `width` values each) of the experts that stay. A merged expert has the mean of
  /// its members' rows.
  public func routerRows(_ rows: [Float], width: Int) -> [Float] {
    sources.flatMap { members in
      LayerEncoder.mean(members.map { Array(rows[$0 * width..<($0 + 1) * width]) })
    }
  }

  /// Weights of the new experts from those of the old, one matrix.
  public func weights(_ experts: [[Float]]) -> [[Float]] {
    sources.map { members in members.count == 1 ? experts[members[0]] : LayerEncoder.mean(members.map { experts[$0] }) }
  }
}
