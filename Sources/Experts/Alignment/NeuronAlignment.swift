/// Finds the order of each expert's hidden neurons that makes experts alike. A neuron is a row of gate, a row of up and
/// a column of down; permuting all three leaves the function as it is, so the order costs nothing to store.
///
/// Every expert is matched to a leader, a running mean of the experts aligned so far, by an assignment over all three
/// matrices jointly; then to the mean of that round, until nothing moves (generalised Procrustes, Gower 1975, with
/// permutations). An expert that is like no leader leads a group of its own.
public struct NeuronAlignment: Sendable {
  /// Up to this many neurons the assignment is exact, above it is approximate.
  public var exactLimit = 4096
  /// Rounds after the first.
  public var rounds = 3
  /// An aligned cosine from which an expert follows a leader. By chance the best permutation of unlike experts of
  /// real size reaches a few hundredths.
  public var leastSimilarity = 0.1
  /// The most leaders; further unlike experts keep their order.
  public var leaderLimit = 4

  public init() {}

  /// New orders: place `i` of expert `e` takes its neuron `order[e][i]`. Deterministic on one machine and BLAS.
  public func align(_ source: some ExpertSource, layer: Int) throws -> [[Int]] {
    let count = source.expertCount(layer: layer)
    let neurons = source.hiddenNeurons(layer: layer)
    let identity = Array(0..<neurons)
    var orders = [[Int]](repeating: identity, count: count)
    guard count > 1, neurons > 1 else { return orders }
    var leaders: [NeuronFeatures] = []
    var group = [Int](repeating: -1, count: count)
    for expert in 0..<count {
      let features = try NeuronFeatures(source, layer: layer, expert: expert)
      let found = leaders.indices.compactMap { leader in
        match(features, to: leaders[leader], atLeast: leastSimilarity).map { (leader: leader, match: $0) }
      }.max { ($0.match.similarity, -$0.leader) < ($1.match.similarity, -$1.leader) }
      if let found {
        orders[expert] = found.match.order
        group[expert] = found.leader
        leaders[found.leader].add(features, order: found.match.order)
      } else if leaders.count < leaderLimit {
        group[expert] = leaders.count
        leaders.append(features)
      }
    }
    for _ in 0..<rounds where try !realign(source, layer: layer, group, &leaders, &orders) { break }
    return orders
  }

  /// The order of an expert's neurons in which it is most like an expert elsewhere: place `i` takes its neuron
  /// `order[i]`. Both have the same shape.
  public func order(
    of expert: Int, in source: some ExpertSource, like other: Int, in others: some ExpertSource, layer: Int
  ) throws -> [Int] {
    let features = try NeuronFeatures(source, layer: layer, expert: expert)
    let leader = try NeuronFeatures(others, layer: layer, expert: other)
    return match(features, to: leader, atLeast: -1)?.order ?? Array(0..<features.neurons)
  }

  /// One round against the means of the round before; false if no order changed.
  private func realign(
    _ source: some ExpertSource, layer: Int, _ group: [Int], _ leaders: inout [NeuronFeatures],
    _ orders: inout [[Int]]
  ) throws -> Bool {
    var means = leaders.map { $0.cleared() }
    var changed = false
    for expert in group.indices where group[expert] >= 0 {
      let features = try NeuronFeatures(source, layer: layer, expert: expert)
      let order = match(features, to: leaders[group[expert]], atLeast: -1)?.order ?? orders[expert]
      changed = changed || order != orders[expert]
      orders[expert] = order
      means[group[expert]].add(features, order: order)
    }
    leaders = means
    return changed
  }

  /// The best order and the cosine in it; nil below the limit.
  private func match(
    _ features: NeuronFeatures, to leader: NeuronFeatures, atLeast limit: Double
  ) -> (order: [Int], similarity: Double)? {
    let count = features.neurons
    let scores = leader.products(with: features)
    let norm = leader.norm * features.norm
    let scale = norm > 0 ? 1 / norm : 0
    // No assignment is better than every neuron with the one it likes best.
    guard Self.sumOfBest(scores, count: count) * scale >= limit else { return nil }
    let order = scores.withUnsafeBufferPointer {
      count <= exactLimit ? Assignment.exact($0, count: count) : Assignment.approximate($0, count: count)
    }
    let similarity = order.enumerated().reduce(0.0) { $0 + Double(scores[$1.offset * count + $1.element]) } * scale
    return similarity >= limit ? (order, similarity) : nil
  }

  /// Sum over rows of the best score.
  private static func sumOfBest(_ scores: [Float], count: Int) -> Double {
    stride(from: 0, to: scores.count, by: count).reduce(0.0) { sum, start in
      sum + Double(scores[start..<start + count].max() ?? 0)
    }
  }
}
