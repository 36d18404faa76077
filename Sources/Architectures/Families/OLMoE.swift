extension ArchitectureFamily {
  static let olmoe = ArchitectureFamily(
    classes: ["OlmoeForCausalLM"], name: "olmoe", modelType: "olmoe",
    rules: TensorRule.ends + TensorRule.layerNorms + TensorRule.attention(permuted: false) + TensorRule.headNorms()
      + TensorRule.experts + TensorRule.router + TensorRule.derived,
    defaults: [
      .value("max_position_embeddings", 4096), .decimal("rms_norm_eps", 1e-5),
      .same("num_key_value_heads", as: "num_attention_heads"),
    ],
    keys: [.standard, .constant("attention.layer_norm_rms_epsilon", .float(1e-5))],
    tokenizers: [.byteLevelBPE], expertCount: ["num_experts", "num_local_experts"])
}
