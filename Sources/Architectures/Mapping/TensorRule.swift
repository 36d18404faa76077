/// Where the tensors of one kind go. `{layer}` and `{expert}` stand for numbers in both names.
struct TensorRule: Sendable {
  /// What happens to the elements on the way.
  enum Change: Sendable, Hashable {
    case none
    /// Rotary rows of each head from halves to pairs: query heads, key heads.
    case queryHeads
    case keyHeads
    /// One matrix an expert, stacked; the stacks of a layer are written together, in the order of their rules.
    case expert
    /// Rows (the second dimension from the end) in two halves: gate, then up.
    case halves
    /// Elements of the innermost dimension alternate between gate and up.
    case alternating
    /// gpt-oss's unquantized expert matrices: each transposed; for gate and up the columns alternate.
    case transposed
    case alternatingColumns
    /// gpt-oss's MXFP4 codes, with the scales beside them; rows alternate for gate and up.
    case mxfp4
    case alternatingMXFP4
    /// DeepSeek's kv_b: each head's key rows, transposed, and its value rows.
    case keyValueHeads
    /// Gemma's norms are stored less one.
    case plusOne
    /// Rows past the vocabulary are left out.
    case vocabularyRows
    /// Has no place in a GGUF file, for the reason given as the target's name.
    case dropped
  }

  /// Name in the Hugging Face checkpoint.
  let source: String
  /// Names in the GGUF file: two for a tensor that is cut in two.
  let targets: [String]
  let change: Change

  /// A rule for one tensor by its whole name.
  init(exact source: String, _ targets: String..., change: Change = .none) {
    self.source = source
    self.targets = targets
    self.change = change
  }

  private init(source: String, targets: [String], change: Change) {
    self.source = source
    self.targets = targets
    self.change = change
  }

  /// Rules for a module's `weight` and `bias`.
  static func module(_ source: String, _ targets: String..., change: Change = .none) -> [TensorRule] {
    ["weight", "bias"].map { kind in
      TensorRule(source: "\(source).\(kind)", targets: targets.map { "\($0).\(kind)" }, change: change)
    }
  }
}

/// Building blocks that families share.
extension TensorRule {
  /// Embedding, output head and final norm.
  static let ends: [TensorRule] =
    module("model.embed_tokens", "token_embd") + module("lm_head", "output") + module("model.norm", "output_norm")

  /// Query, key, value and output projections.
  static func attention(permuted: Bool) -> [TensorRule] {
    module("model.layers.{layer}.self_attn.q_proj", "blk.{layer}.attn_q", change: permuted ? .queryHeads : .none)
      + module("model.layers.{layer}.self_attn.k_proj", "blk.{layer}.attn_k", change: permuted ? .keyHeads : .none)
      + module("model.layers.{layer}.self_attn.v_proj", "blk.{layer}.attn_v")
      + module("model.layers.{layer}.self_attn.o_proj", "blk.{layer}.attn_output")
  }

  /// Norms of queries and keys.
  static func headNorms(change: Change = .none) -> [TensorRule] {
    module("model.layers.{layer}.self_attn.q_norm", "blk.{layer}.attn_q_norm", change: change)
      + module("model.layers.{layer}.self_attn.k_norm", "blk.{layer}.attn_k_norm", change: change)
  }

  /// The norm before attention and that before the feed-forward part.
  static let layerNorms: [TensorRule] =
    module("model.layers.{layer}.input_layernorm", "blk.{layer}.attn_norm")
    + module("model.layers.{layer}.post_attention_layernorm", "blk.{layer}.ffn_norm")

  /// A gated feed-forward network of three matrices, at `source` below the layer, with `suffix` after the GGUF names.
  static func feedForward(_ source: String = "mlp", suffix: String = "") -> [TensorRule] {
    module("model.layers.{layer}.\(source).down_proj", "blk.{layer}.ffn_down\(suffix)")
      + module("model.layers.{layer}.\(source).gate_proj", "blk.{layer}.ffn_gate\(suffix)")
      + module("model.layers.{layer}.\(source).up_proj", "blk.{layer}.ffn_up\(suffix)")
  }

  /// One gated network an expert, in the order in which the converter writes the stacks.
  static let experts: [TensorRule] = [("down_proj", "down"), ("gate_proj", "gate"), ("up_proj", "up")].map {
    TensorRule(
      exact: "model.layers.{layer}.mlp.experts.{expert}.\($0.0).weight", "blk.{layer}.ffn_\($0.1)_exps.weight",
      change: .expert)
  }

  /// The router.
  static let router = module("model.layers.{layer}.mlp.gate", "blk.{layer}.ffn_gate_inp")

  /// Rotary frequencies that old checkpoints carry; they follow from the configuration.
  static let derived: [TensorRule] = [
    TensorRule(
      exact: "model.layers.{layer}.self_attn.rotary_emb.inv_freq", "follows from the configuration", change: .dropped)
  ]
}
