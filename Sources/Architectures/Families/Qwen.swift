extension ArchitectureFamily {
  static let qwen2 = ArchitectureFamily(
    classes: ["Qwen2ForCausalLM"], name: "qwen2", modelType: "qwen2",
    rules: qwenBase + TensorRule.feedForward(),
    defaults: qwenDefaults + [
      .value("num_key_value_heads", 32), .same("num_key_value_heads", as: "num_attention_heads"),
    ],
    keys: [.standard], tokenizers: [.sentencePiece, .byteLevelBPE])

  static let qwen3 = ArchitectureFamily(
    classes: ["Qwen3ForCausalLM"], name: "qwen3", modelType: "qwen3",
    rules: qwenBase + TensorRule.headNorms() + TensorRule.feedForward(),
    defaults: qwenDefaults + [
      .value("num_key_value_heads", 32), .same("num_key_value_heads", as: "num_attention_heads"),
      .value("head_dim", 128),
    ],
    keys: [.standard], tokenizers: [.sentencePiece, .byteLevelBPE])

  static let qwen2MoE = ArchitectureFamily(
    classes: ["Qwen2MoeForCausalLM"], name: "qwen2moe", modelType: "qwen2_moe",
    rules: qwenBase + qwenExperts + TensorRule.feedForward()
      + TensorRule.feedForward("mlp.shared_expert", suffix: "_shexp")
      + TensorRule.module("model.layers.{layer}.mlp.shared_expert_gate", "blk.{layer}.ffn_gate_inp_shexp"),
    defaults: qwenDefaults + [
      .value("num_key_value_heads", 16), .value("moe_intermediate_size", 1408),
      .value("shared_expert_intermediate_size", 5632),
    ],
    keys: [
      .standard, .integer("expert_feed_forward_length", ["moe_intermediate_size"]),
      .integer("expert_shared_feed_forward_length", ["shared_expert_intermediate_size"]),
    ],
    tokenizers: [.byteLevelBPE], expertCount: ["num_experts", "num_local_experts"])

  static let qwen3MoE = ArchitectureFamily(
    classes: ["Qwen3MoeForCausalLM"], name: "qwen3moe", modelType: "qwen3_moe",
    rules: qwenBase + TensorRule.headNorms() + qwenExperts + TensorRule.feedForward(),
    defaults: qwenDefaults + [.value("num_key_value_heads", 4), .value("moe_intermediate_size", 768)],
    keys: [.standard, .integer("expert_feed_forward_length", ["moe_intermediate_size"])],
    tokenizers: [.byteLevelBPE], expertCount: ["num_experts", "num_local_experts"])

  private static let qwenBase =
    TensorRule.ends + TensorRule.layerNorms + TensorRule.attention(permuted: false) + TensorRule.derived

  /// One matrix an expert, or all of a layer's in one tensor with gate and up in its halves.
  private static let qwenExperts =
    TensorRule.experts + TensorRule.router + [
      TensorRule(exact: "model.layers.{layer}.mlp.experts.down_proj", "blk.{layer}.ffn_down_exps.weight"),
      TensorRule(
        exact: "model.layers.{layer}.mlp.experts.gate_up_proj", "blk.{layer}.ffn_gate_exps.weight",
        "blk.{layer}.ffn_up_exps.weight", change: .halves),
    ]

  private static let qwenDefaults: [ParameterDefault] = [
    .value("max_position_embeddings", 32768), .decimal("rms_norm_eps", 1e-6),
  ]
}
