/// One of the matrices of an expert's feed-forward network.
public enum ExpertMatrix: String, Sendable, Hashable, CaseIterable {
  case gate, up, down
  /// gate and up in one tensor.
  case gateUp
}

/// What a tensor does in a model, as far as its name tells: what a recipe chooses by.
public enum TensorRole: Sendable, Hashable {
  /// Weights of routed experts. `expert` is nil if the tensor stacks all of them along its first dimension.
  case expert(layer: Int, expert: Int?, matrix: ExpertMatrix)
  /// The bias of a routed expert's matrix. `expert` is nil if the tensor stacks all of them.
  case expertBias(layer: Int, expert: Int?)
  /// The weights of a router, and the biases it chooses by.
  case router
  case norm
  case bias
  case embedding
  case head
  case attention
  /// Any other weight matrix: dense and shared-expert feed-forward networks, projections.
  case linear
  /// Not a weight matrix (rank below 2) and none of the above.
  case other

  /// The word that recipes use.
  public var word: String {
    switch self {
    case .expert: "experts"
    case .router: "router"
    case .norm: "norms"
    case .bias, .expertBias: "biases"
    case .embedding: "embeddings"
    case .head: "head"
    case .attention: "attention"
    case .linear: "linear"
    case .other: "other"
    }
  }

  /// Finds the role from a name, as Hugging Face or GGUF give it, and the tensor's rank.
  public init(name: String, rank: Int) {
    let parts = name.split(separator: ".").map(String.init)
    if let expert = Self.expert(parts, rank: rank) {
      self = expert
    } else if Self.isRouter(parts) {
      self = .router
    } else if parts.contains(where: Self.isNorm) {
      self = .norm
    } else if parts.last == "bias" || parts.last?.hasSuffix("_bias") == true {
      self = .bias
    } else if parts.contains(where: { Self.embeddings.contains($0) }) {
      self = .embedding
    } else if parts.contains(where: { Self.heads.contains($0) }) && Self.layer(parts) == nil {
      self = .head
    } else if rank < 2 {
      self = .other
    } else if parts.contains(where: { Self.attentions.contains($0) || $0.hasPrefix("attn_") }) {
      self = .attention
    } else {
      self = .linear
    }
  }

  private static let embeddings: Set<String> = [
    "embed_tokens", "token_embd", "wte", "wpe", "word_embeddings", "tok_embeddings", "embedding", "position_embd",
    "embed_positions",
  ]
  private static let heads: Set<String> = ["lm_head", "output", "unembedding", "embed_out"]
  private static let attentions: Set<String> = ["self_attn", "attn", "attention", "self_attention"]
  private static let matrices: [String: ExpertMatrix] = [
    "w1": .gate, "gate_proj": .gate, "gate": .gate, "ffn_gate_exps": .gate,
    "w3": .up, "up_proj": .up, "up": .up, "ffn_up_exps": .up,
    "w2": .down, "down_proj": .down, "down": .down, "ffn_down_exps": .down,
    "gate_up_proj": .gateUp, "gate_up": .gateUp, "ffn_gate_up_exps": .gateUp, "mlp1_weight": .gateUp,
    "mlp2_weight": .down,
  ]

  private static func isNorm(_ part: String) -> Bool {
    part.contains("norm") || part.hasPrefix("ln_") || part == "ln_f"
  }

  private static func isRouter(_ parts: [String]) -> Bool {
    if parts.contains("router") || parts.contains(where: { $0.hasPrefix("ffn_gate_inp") || $0 == "exp_probs_b" }) {
      return true
    }
    // `mlp.gate.weight` and `block_sparse_moe.gate.weight`, not the `gate_proj` of a feed-forward network.
    return parts.count >= 3 && parts[parts.count - 2] == "gate"
      || parts.last == "e_score_correction_bias" || parts.contains("shared_expert_gate")
  }

  private static func expert(_ parts: [String], rank: Int) -> TensorRole? {
    guard let layer = layer(parts) else { return nil }
    if let index = parts.firstIndex(of: "experts") {
      let rest = Array(parts[(index + 1)...])
      if let first = rest.first, let number = Int(first), rest.count >= 2, let matrix = matrices[rest[1]] {
        if rest.last == "bias" { return .expertBias(layer: layer, expert: number) }
        return rank == 2 ? .expert(layer: layer, expert: number, matrix: matrix) : nil
      }
      guard let first = rest.first else { return nil }
      if rest.last == "bias" || first.hasSuffix("_bias") { return stackedBias(layer, rank: rank) }
      guard let matrix = matrices[first], rank == 3 else { return nil }
      return .expert(layer: layer, expert: nil, matrix: matrix)
    }
    guard let part = parts.first(where: { $0.hasSuffix("_exps") }), let matrix = matrices[part] else { return nil }
    if parts.last == "bias" { return stackedBias(layer, rank: rank) }
    return rank == 3 ? .expert(layer: layer, expert: nil, matrix: matrix) : nil
  }

  private static func stackedBias(_ layer: Int, rank: Int) -> TensorRole {
    rank == 2 ? .expertBias(layer: layer, expert: nil) : .bias
  }

  /// The number of the layer that a tensor belongs to, from 0; nil where its name gives none.
  public static func layer(of name: String) -> Int? { layer(name.split(separator: ".").map(String.init)) }

  /// The number after "layers", "blk", "h" or another word for them.
  private static func layer(_ parts: [String]) -> Int? {
    guard let index = parts.firstIndex(where: { ["layers", "layer", "blk", "h", "block", "blocks"].contains($0) }),
      index + 1 < parts.count
    else { return nil }
    return Int(parts[index + 1])
  }
}
