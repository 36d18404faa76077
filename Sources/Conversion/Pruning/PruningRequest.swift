import ByteIO
import Checkpoints
import Experts
import JSON

/// Which experts of each layer stay.
public enum PruningRequest: Sendable {
  /// Drop these experts, of each layer.
  case drop([Int: Set<Int>])
  /// Keep so many in each layer: those that the router used most, by its counts for each layer and expert.
  case keepMostUsed(Int, counts: [Int: [Int]])
  /// Merge the most similar experts of each layer, until so many are left.
  case merge(Int)

  /// The plans, one a layer that has experts. Throws `ExpertError`, `PlanError`, and what reading throws.
  public func prunings(of checkpoint: any Checkpoint) throws -> [ExpertPruning] {
    let experts = CheckpointExperts(checkpoint)
    guard !experts.expertLayers.isEmpty else { throw NothingToShare(path: checkpoint.path) }
    let needed = try Self.expertsPerToken(checkpoint)
    return try experts.expertLayers.map { try pruning(experts, layer: $0, routedTo: needed) }
  }

  private func pruning(_ experts: CheckpointExperts, layer: Int, routedTo needed: Int) throws -> ExpertPruning {
    let count = experts.expertCount(layer: layer)
    switch self {
    case .drop(let dropped):
      return try .dropping(dropped[layer] ?? [], layer: layer, of: count, routedTo: needed)
    case .keepMostUsed(let kept, let counts):
      return try .droppingLeastUsed(
        keeping: kept, counts: counts[layer] ?? [], layer: layer, of: count, routedTo: needed)
    case .merge(let kept):
      let meter = ExpertMeter()
      let grams = try Experts.ExpertMatrix.allCases.map { try meter.gram(experts, layer: layer, matrix: $0) }
      let gram = grams.dropFirst().reduce(grams[0], +)
      return try .merging(Self.clusters(gram, left: kept), layer: layer, of: count, routedTo: needed)
    }
  }

  /// The clusters of more than one expert when so many nodes of the dendrogram are left.
  static func clusters(_ gram: GramMatrix, left: Int) -> [[Int]] {
    let merges = HierarchicalClustering.merges(gram.correlations, count: gram.count)
    var nodes: [Int: [Int]] = Dictionary(uniqueKeysWithValues: (0..<gram.count).map { ($0, [$0]) })
    for (step, merge) in merges.prefix(max(0, gram.count - max(left, 1))).enumerated() {
      let joined = (nodes.removeValue(forKey: merge.first) ?? []) + (nodes.removeValue(forKey: merge.second) ?? [])
      nodes[gram.count + step] = joined.sorted()
    }
    return nodes.values.filter { $0.count > 1 }.sorted { $0[0] < $1[0] }
  }

  /// How many experts a token is sent to, by the model's configuration; 1 where it doesn't say.
  private static func expertsPerToken(_ checkpoint: any Checkpoint) throws -> Int {
    guard let file = checkpoint.files.first(where: { $0.name == "config.json" }) else { return 1 }
    let config = try JSONValue(parsing: try checkpoint.read(0..<file.size, of: file))
    return ["num_experts_per_tok", "experts_per_token", "moe_topk"].lazy.compactMap { config[$0]?.int }.first ?? 1
  }

  /// Counts from JSON: `{"LAYER": [n, n, ...]}`. Throws `PlanError` for anything else.
  public static func counts(_ path: String) throws -> [Int: [Int]] {
    let file = try InputFile(path)
    let json = try JSONValue(parsing: try file.bytes(0..<file.size))
    var counts: [Int: [Int]] = [:]
    for member in json.object?.members ?? [] {
      let values = member.value.array?.compactMap(\.int)
      guard let layer = Int(member.key), let values, values.count == member.value.array?.count else {
        throw PlanError(reason: "\(path): router counts should be {\"LAYER\": [n, n, ...]}, not '\(member.key)'")
      }
      counts[layer] = values
    }
    return counts
  }
}
