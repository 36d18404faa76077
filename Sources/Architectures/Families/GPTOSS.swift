extension ArchitectureFamily {
  /// gpt-oss, with its experts in MXFP4 or as plain matrices.
  static let gptOSS = ArchitectureFamily(
    classes: ["GptOssForCausalLM"], name: "gpt-oss", modelType: "gpt_oss",
    rules: TensorRule.ends + TensorRule.attention(permuted: false) + TensorRule.derived + gptOSSExperts
      + TensorRule.module("model.layers.{layer}.input_layernorm", "blk.{layer}.attn_norm")
      + TensorRule.module("model.layers.{layer}.post_attention_layernorm", "blk.{layer}.post_attention_norm")
      + TensorRule.module("model.layers.{layer}.mlp.router", "blk.{layer}.ffn_gate_inp")
      + [TensorRule(exact: "model.layers.{layer}.self_attn.sinks", "blk.{layer}.attn_sinks.weight")],
    defaults: [
      .value("max_position_embeddings", 131072), .decimal("rms_norm_eps", 1e-5), .value("head_dim", 64),
      .value("num_key_value_heads", 8), .value("sliding_window", 128),
      .value(
        "rope_scaling",
        [
          "rope_type": "yarn", "factor": 32, "beta_fast": 32, "beta_slow": 1,
          "original_max_position_embeddings": 4096,
        ]),
    ],
    rotaryBase: 150_000,
    keys: [
      .standard, .requiredInteger("attention.sliding_window", ["sliding_window"]),
      .requiredInteger("expert_feed_forward_length", ["intermediate_size"]),
    ],
    tokenizers: [.byteLevelBPE])

  private static let gptOSSExperts: [TensorRule] = [
    TensorRule(
      exact: "model.layers.{layer}.mlp.experts.gate_up_proj_blocks", "blk.{layer}.ffn_gate_exps.weight",
      "blk.{layer}.ffn_up_exps.weight", change: .alternatingMXFP4),
    TensorRule(
      exact: "model.layers.{layer}.mlp.experts.down_proj_blocks", "blk.{layer}.ffn_down_exps.weight", change: .mxfp4),
    TensorRule(
      exact: "model.layers.{layer}.mlp.experts.gate_up_proj", "blk.{layer}.ffn_gate_exps.weight",
      "blk.{layer}.ffn_up_exps.weight", change: .alternatingColumns),
    TensorRule(
      exact: "model.layers.{layer}.mlp.experts.down_proj", "blk.{layer}.ffn_down_exps.weight", change: .transposed),
    TensorRule(
      exact: "model.layers.{layer}.mlp.experts.gate_up_proj_bias", "blk.{layer}.ffn_gate_exps.bias",
      "blk.{layer}.ffn_up_exps.bias", change: .alternating),
    TensorRule(exact: "model.layers.{layer}.mlp.experts.down_proj_bias", "blk.{layer}.ffn_down_exps.bias"),
  ]
}
