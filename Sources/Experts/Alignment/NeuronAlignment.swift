import CLAPACK

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
      let found = leaders.indices.map { (leader: $0, match: match(features, to: leaders[$0])) }
        .max { ($0.match.similarity, -$0.leader) < ($1.match.similarity, -$1.leader) }
      if let found, found.match.similarity >= leastSimilarity {
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
    return match(features, to: try NeuronFeatures(others, layer: layer, expert: other)).order
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
      let order = match(features, to: leaders[group[expert]]).order
      changed = changed || order != orders[expert]
      orders[expert] = order
      means[group[expert]].add(features, order: order)
    }
    leaders = means
    return changed
  }

  private func match(_ features: NeuronFeatures, to leader: NeuronFeatures) -> (order: [Int], similarity: Double) {
    let count = features.neurons
    let scores = leader.products(with: features)
    let order = scores.withUnsafeBufferPointer {
      count <= exactLimit ? Assignment.exact($0, count: count) : Assignment.approximate($0, count: count)
    }
    let total = order.enumerated().reduce(0.0) { $0 + Double(scores[$1.offset * count + $1.element]) }
    let norm = leader.norm * features.norm
    return (order, norm > 0 ? total / norm : 0)
  }
}

/// The neurons of an expert as vectors: row of gate, row of up, column of down, each matrix scaled to norm 1.
struct NeuronFeatures {
  let neurons: Int
  private let length: Int
  private var values: [Float]

  init(_ source: some ExpertSource, layer: Int, expert: Int) throws {
    neurons = source.hiddenNeurons(layer: layer)
    let width = source.width(layer: layer)
    length = 3 * width
    values = [Float](repeating: 0, count: neurons * length)
    for (place, matrix) in ExpertMatrix.allCases.enumerated() {
      let weights = try source.matrix(layer: layer, expert: expert, matrix: matrix)
      let norm = weights.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
      let scale = norm > 0 ? Float(1 / norm) : 0
      for neuron in 0..<neurons {
        for index in 0..<width {
          let weight = matrix.neuronsAreRows ? weights[neuron * width + index] : weights[index * neurons + neuron]
          values[neuron * length + place * width + index] = weight * scale
        }
      }
    }
  }

  var norm: Double { values.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot() }

  func cleared() -> NeuronFeatures {
    var copy = self
    copy.values = [Float](repeating: 0, count: values.count)
    return copy
  }

  mutating func add(_ other: NeuronFeatures, order: [Int]) {
    for (place, neuron) in order.enumerated() {
      for index in 0..<length { values[place * length + index] += other.values[neuron * length + index] }
    }
  }

  /// Inner products of own neurons (rows) and another's (columns), by BLAS `sgemm`.
  func products(with other: NeuronFeatures) -> [Float] {
    var result = [Float](repeating: 0, count: neurons * neurons)
    let size = Int32(neurons)
    let depth = Int32(length)
    cblas_sgemm(
      CblasRowMajor, CblasNoTrans, CblasTrans, size, size, depth, 1, values, depth, other.values, depth, 0,
      &result, size)
    return result
  }
}
