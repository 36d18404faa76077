extension ArchitectureFamily {
  /// GLM-4.5 and its kin. Layers past the last predict further tokens and are kept.
  static let glm4MoE = ArchitectureFamily(
    classes: ["Glm4MoeForCausalLM"], name: "glm4moe", modelType: "glm4_moe",
    rules: TensorRule.ends + TensorRule.attention(permuted: false) + TensorRule.headNorms() + TensorRule.feedForward()
      + TensorRule.experts + TensorRule.router + TensorRule.feedForward("mlp.shared_experts", suffix: "_shexp")
      + TensorRule.module("model.layers.{layer}.input_layernorm", "blk.{layer}.attn_norm")
      + TensorRule.module("model.layers.{layer}.post_attention_layernorm", "blk.{layer}.post_attention_norm")
      + [TensorRule(exact: "model.layers.{layer}.mlp.gate.e_score_correction_bias", "blk.{layer}.exp_probs_b.bias")]
      + [
        ("eh_proj", "eh_proj"), ("embed_tokens", "embed_tokens"), ("enorm", "enorm"), ("hnorm", "hnorm"),
        ("shared_head.head", "shared_head_head"), ("shared_head.norm", "shared_head_norm"),
      ].flatMap { TensorRule.module("model.layers.{layer}.\($0.0)", "blk.{layer}.nextn.\($0.1)") }
      + TensorRule.derived,
    defaults: [
      .value("max_position_embeddings", 131072), .decimal("rms_norm_eps", 1e-5), .value("num_key_value_heads", 8),
      .decimal("partial_rotary_factor", 0.5), .value("n_group", 1), .value("topk_group", 1),
      .value("n_shared_experts", 1), .value("first_k_dense_replace", 1), .decimal("routed_scaling_factor", 1.0),
      .value("norm_topk_prob", true), .value("moe_intermediate_size", 1408), .value("num_nextn_predict_layers", 1),
    ],
    keys: [
      .standard, .rotaryDimension(factor: 0.5), .integer("expert_count", ["n_routed_experts"]),
      .integer("expert_feed_forward_length", ["moe_intermediate_size"]),
      .integer("expert_shared_count", ["n_shared_experts"]),
      .integer("leading_dense_block_count", ["first_k_dense_replace"]), .constant("expert_gating_func", .integer(2)),
      .float("expert_weights_scale", ["routed_scaling_factor"]), .bool("expert_weights_norm", ["norm_topk_prob"]),
      .special(.nextTokenLayers),
    ],
    tokenizers: [.byteLevelBPE], preTokenizers: ["llama-bpe": "glm4"], expertCount: ["n_routed_experts"],
    extraLayers: .kept)
}
