extension ArchitectureFamily {
  /// Granite's mixture of experts, with and without a shared expert. Gate and up are halves of one tensor.
  static let graniteMoE = ArchitectureFamily(
    classes: ["GraniteMoeForCausalLM", "GraniteMoeSharedForCausalLM"], name: "granitemoe", modelType: "granitemoe",
    rules: TensorRule.ends + TensorRule.layerNorms + TensorRule.attention(permuted: true)
      + TensorRule.module("model.layers.{layer}.block_sparse_moe.router.layer", "blk.{layer}.ffn_gate_inp")
      + TensorRule.derived
      + [
        TensorRule(
          exact: "model.layers.{layer}.block_sparse_moe.input_linear.weight", "blk.{layer}.ffn_gate_exps.weight",
          "blk.{layer}.ffn_up_exps.weight", change: .halves),
        TensorRule(
          exact: "model.layers.{layer}.block_sparse_moe.output_linear.weight", "blk.{layer}.ffn_down_exps.weight"),
        TensorRule(
          exact: "model.layers.{layer}.shared_mlp.input_linear.weight", "blk.{layer}.ffn_gate_shexp.weight",
          "blk.{layer}.ffn_up_shexp.weight", change: .halves),
        TensorRule(exact: "model.layers.{layer}.shared_mlp.output_linear.weight", "blk.{layer}.ffn_down_shexp.weight"),
      ],
    defaults: [
      .value("max_position_embeddings", 2048), .decimal("rms_norm_eps", 1e-6), .value("num_key_value_heads", 32),
      .same("num_key_value_heads", as: "num_attention_heads"), .decimal("attention_multiplier", 1.0),
      .decimal("embedding_multiplier", 1.0), .decimal("residual_multiplier", 1.0), .decimal("logits_scaling", 1.0),
      .value("num_local_experts", 8), .value("num_experts_per_tok", 2),
    ],
    keys: [.override("head_dim", .null)] + llamaKeys + [
      .nonzeroFloat("attention.scale", ["attention_multiplier"]),
      .nonzeroFloat("embedding_scale", ["embedding_multiplier"]),
      .nonzeroFloat("residual_scale", ["residual_multiplier"]), .nonzeroFloat("logit_scale", ["logits_scaling"]),
      .nonzeroInteger("expert_shared_feed_forward_length", ["shared_intermediate_size"]),
    ],
    tokenizers: llamaTokenizers, preTokenizers: ["starcoder": "refact"], constants: .llama3)
}
