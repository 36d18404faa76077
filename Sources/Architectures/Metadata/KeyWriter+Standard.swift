import JSON

/// The keys that most families share, in the converter's order.
extension KeyWriter {
  mutating func writeStandard() throws(ArchitectureError) {
    try set("block_count", layers)
    try copy([
      ("context_length", ["max_position_embeddings", "n_ctx", "n_positions", "max_length", "max_sequence_length"]),
      ("embedding_length", ["hidden_size", "n_embd", "dim"]),
      ("feed_forward_length", ["intermediate_size", "n_inner", "hidden_dim"]),
      ("attention.head_count", ["num_attention_heads", "n_head", "n_heads"]),
      ("attention.head_count_kv", ["num_key_value_heads", "n_kv_heads"]),
    ])
    if parameters.bool("is_causal") == false { set("attention.causal", false) }
    try writeRotaryScaling()
    try writeRotaryBases()
    if let epsilon = try number(["rms_norm_eps", "norm_eps"]) { set("attention.layer_norm_rms_epsilon", epsilon) }
    if let epsilon = try number(["layer_norm_eps", "layer_norm_epsilon", "norm_epsilon"]) {
      set("attention.layer_norm_epsilon", epsilon)
    }
    try copy([
      ("expert_count", ["num_local_experts", "num_experts", "n_routed_experts"]),
      ("expert_used_count", ["num_experts_per_tok", "num_experts_per_token", "top_k_experts"]),
      ("expert_group_count", ["n_group"]), ("expert_group_used_count", ["topk_group"]),
    ])
    try writeGating()
    try copy([("attention.key_length", ["head_dim"]), ("attention.value_length", ["head_dim"])])
    metadata["general.file_type"] = .uint32(UInt32(type))
  }

  /// Whole numbers whose keys are not written if the configuration has none.
  private mutating func copy(_ pairs: [(key: String, names: [String])]) throws(ArchitectureError) {
    for (key, names) in pairs {
      if let value = try parameters.integer(names) { try set(key, value) }
    }
  }

  private mutating func writeRotaryScaling() throws(ArchitectureError) {
    let settings = rotary.full
    switch settings["rope_type"]?.string {
    case "linear"?:
      guard let factor = settings["factor"]?.double else { return }
      set("rope.scaling.type", "linear")
      set("rope.scaling.factor", factor)
    case "yarn"?: try writeYarn(settings)
    case "su"?, "longrope"?: set("rope.scaling.type", "longrope")
    default: return
    }
  }

  private mutating func writeYarn(_ settings: JSONObject) throws(ArchitectureError) {
    guard let factor = settings["factor"]?.double else { return }
    set("rope.scaling.type", "yarn")
    set("rope.scaling.factor", factor)
    guard let context = settings["original_max_position_embeddings"]?.int else {
      throw .missingParameter("original_max_position_embeddings")
    }
    try set("rope.scaling.original_context_length", context)
    let optional = [
      ("yarn_ext_factor", ["extrapolation_factor"]), ("yarn_attn_factor", ["attention_factor", "attn_factor"]),
      ("yarn_beta_fast", ["beta_fast"]), ("yarn_beta_slow", ["beta_slow"]),
    ]
    for (key, names) in optional {
      let name = names.first { settings[$0] != nil }
      if let value = name.flatMap({ settings[$0]?.double }) { set("rope.scaling.\(key)", value) }
    }
  }

  private mutating func writeRotaryBases() throws(ArchitectureError) {
    if let base = rotary.full["rope_theta"]?.double { set("rope.freq_base", base) }
    if let base = rotary.slidingBase?.double { set("rope.freq_base_swa", base) }
  }

  private mutating func writeGating() throws(ArchitectureError) {
    let names = [
      "score_function", "scoring_func", "score_func", "moe_router_activation", "moe_router_activation_func",
      "expert_selection_fn",
    ]
    guard let function = parameters.first(names) else { return }
    switch function.string {
    case "softmax"?: try set("expert_gating_func", 1)
    case "sigmoid"?: try set("expert_gating_func", 2)
    case "sqrtsoftplus"?: try set("expert_gating_func", 4)
    default: throw .parameter("scoring_func", "is not softmax, sigmoid or sqrtsoftplus")
    }
  }
}
