extension ArchitectureFamily {
  /// DeepSeek-V2 and V3: latent attention, shared experts, and from V3 on a bias that only chooses experts.
  static let deepseekV2 = ArchitectureFamily(
    classes: ["DeepseekV2ForCausalLM"], name: "deepseek2", modelType: "deepseek_v2", rules: deepseekRules,
    defaults: deepseekDefaults + [
      .value("max_position_embeddings", 2048), .value("n_shared_experts", 2), .decimal("routed_scaling_factor", 1.0),
      .value("norm_topk_prob", false), .value("first_k_dense_replace", 0),
    ],
    keys: deepseekKeys, tokenizers: [.byteLevelBPE], expertCount: ["n_routed_experts"], extraLayers: .dropped)

  static let deepseekV3 = ArchitectureFamily(
    classes: ["DeepseekV3ForCausalLM"], name: "deepseek2", modelType: "deepseek_v3", rules: deepseekRules,
    defaults: deepseekDefaults + [
      .value("max_position_embeddings", 4096), .value("n_shared_experts", 1), .decimal("routed_scaling_factor", 2.5),
      .value("norm_topk_prob", true), .value("first_k_dense_replace", 3), .value("n_group", 8),
      .value("topk_group", 4),
    ],
    keys: deepseekKeys, tokenizers: [.byteLevelBPE], expertCount: ["n_routed_experts"], extraLayers: .dropped)

  private static let deepseekRules =
    TensorRule.ends + TensorRule.layerNorms + TensorRule.feedForward() + TensorRule.experts + TensorRule.router
    + TensorRule.feedForward("mlp.shared_experts", suffix: "_shexp") + TensorRule.derived
    + [
      TensorRule(exact: "model.layers.{layer}.mlp.gate.e_score_correction_bias", "blk.{layer}.exp_probs_b.bias"),
      TensorRule(
        exact: "model.layers.{layer}.self_attn.kv_b_proj.weight", "blk.{layer}.attn_k_b.weight",
        "blk.{layer}.attn_v_b.weight", change: .keyValueHeads),
    ]
    + [
      ("q_proj", "q"), ("q_a_proj", "q_a"), ("q_a_layernorm", "q_a_norm"), ("q_b_proj", "q_b"),
      ("kv_a_proj_with_mqa", "kv_a_mqa"), ("kv_a_layernorm", "kv_a_norm"), ("o_proj", "output"),
    ].flatMap { TensorRule.module("model.layers.{layer}.self_attn.\($0.0)", "blk.{layer}.attn_\($0.1)") }

  private static let deepseekDefaults: [ParameterDefault] = [
    .decimal("rms_norm_eps", 1e-6), .value("kv_lora_rank", 512), .value("q_lora_rank", 1536),
    .value("qk_rope_head_dim", 64), .value("qk_nope_head_dim", 128), .value("v_head_dim", 128),
    .same("head_dim", as: "qk_rope_head_dim"), .same("num_key_value_heads", as: "num_attention_heads"),
  ]

  private static let deepseekKeys: [KeyRule] = [
    .override("num_key_value_heads", 1), .standard, .special(.leadingDenseBlocks),
    .requiredInteger("vocab_size", ["vocab_size"]),
    .integer("attention.q_lora_rank", ["q_lora_rank"]), .special(.latentAttention),
    .requiredInteger("expert_feed_forward_length", ["moe_intermediate_size", "intermediate_size"]),
    .integer("expert_count", ["n_routed_experts"]), .integer("expert_shared_count", ["n_shared_experts"]),
    .float("expert_weights_scale", ["routed_scaling_factor"]), .trueBool("expert_weights_norm", ["norm_topk_prob"]),
    .requiredInteger("rope.dimension_count", ["qk_rope_head_dim"]), .special(.yarnLogMultiplier),
  ]
}
