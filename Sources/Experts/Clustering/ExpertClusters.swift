/// One step of hierarchical clustering.
public struct Merge: Sendable, Equatable {
  /// Nodes that were joined: 0 ..< N are experts, N + k is what step k made.
  public var first: Int
  public var second: Int
  /// Mean cosine between their members.
  public var similarity: Double
}

/// Average-linkage clustering over cosines (Sokal and Michener, 1958).
public enum HierarchicalClustering {
  /// The N - 1 merges, most similar first; ties go to the lowest nodes.
  public static func merges(_ correlations: [Double], count: Int) -> [Merge] {
    var similarity = correlations
    var node = Array(0..<count)
    var size = [Int](repeating: 1, count: count)
    var alive = Array(0..<count)
    var merges: [Merge] = []
    while alive.count > 1 {
      var best = (first: alive[0], second: alive[1], similarity: -Double.infinity)
      for (place, first) in alive.enumerated() {
        for second in alive[(place + 1)...] where similarity[first * count + second] > best.similarity {
          best = (first, second, similarity[first * count + second])
        }
      }
      let (a, b) = (best.first, best.second)
      merges.append(Merge(first: node[a], second: node[b], similarity: best.similarity))
      alive.removeAll { $0 == b }
      for other in alive where other != a {
        let mean =
          (similarity[a * count + other] * Double(size[a]) + similarity[b * count + other] * Double(size[b]))
          / Double(size[a] + size[b])
        similarity[a * count + other] = mean
        similarity[other * count + a] = mean
      }
      size[a] += size[b]
      node[a] = count + merges.count - 1
    }
    return merges
  }
}

/// Experts by centroid, and what that is predicted to save over plain quantization at equal error.
public struct ExpertClusters: Sendable, Equatable {
  /// Members of each cluster, ascending; clusters by their first member. An expert that is alone is stored plain.
  public let members: [[Int]]
  /// Bits a weight saved, averaged over all experts; 0 if nothing is shared.
  public let saving: Double
  /// The dendrogram that the partition was cut from.
  public let merges: [Merge]

  /// Below this saving, in bits a weight, a matrix is stored plain.
  public static let leastSaving = 0.05

  /// Cuts the dendrogram where the predicted bytes are least; no cut if the saving is below `leastSaving`.
  public init(choosingBy gram: GramMatrix, overhead: Double) {
    let merges = HierarchicalClustering.merges(gram.correlations, count: gram.count)
    var groups = (0..<gram.count).map { [$0] }
    var byNode = Dictionary(uniqueKeysWithValues: groups.enumerated().map { ($0.offset, $0.element) })
    var best = (saving: 0.0, groups: groups)
    for (step, merge) in merges.enumerated() {
      guard let first = byNode[merge.first], let second = byNode[merge.second] else { continue }
      let joined = (first + second).sorted()
      byNode[gram.count + step] = joined
      groups.removeAll { $0 == first || $0 == second }
      groups.append(joined)
      let saving = Self.saving(of: groups, gram, overhead: overhead)
      if saving > best.saving { best = (saving, groups) }
    }
    let pays = best.saving >= Self.leastSaving
    saving = pays ? best.saving : 0
    members = pays ? best.groups.sorted { $0[0] < $1[0] } : (0..<gram.count).map { [$0] }
    self.merges = merges
  }

  /// True if some experts share a centroid.
  public var shares: Bool { members.contains { $0.count > 1 } }

  private static func saving(of groups: [[Int]], _ gram: GramMatrix, overhead: Double) -> Double {
    let total = groups.filter { $0.count > 1 }.reduce(0.0) {
      $0 + Double($1.count) * SavingFormula.centroid(gram.restricted(to: $1), overhead: overhead).saving
    }
    return gram.count == 0 ? 0 : total / Double(gram.count)
  }
}
