import JSON

extension ArchitectureFamily {
  static let gemma2 = ArchitectureFamily(
    classes: ["Gemma2ForCausalLM"], name: "gemma2", modelType: "gemma2",
    rules: TensorRule.module("model.embed_tokens", "token_embd") + gemmaRules
      + [TensorRule(exact: "lm_head.weight", "the embedding is the output head", change: .dropped)],
    defaults: gemmaDefaults + [
      .value("max_position_embeddings", 8192), .decimal("attn_logit_softcapping", 50.0),
      .decimal("final_logit_softcapping", 30.0),
    ],
    keys: [
      .requiredInteger("context_length", ["max_position_embeddings"]),
      .requiredInteger("embedding_length", ["hidden_size"]), .blockCount,
      .requiredInteger("feed_forward_length", ["intermediate_size"]),
      .requiredInteger("attention.head_count", ["num_attention_heads"]),
      .requiredInteger("attention.head_count_kv", ["num_key_value_heads", "num_attention_heads"]),
      .requiredFloat("attention.layer_norm_rms_epsilon", ["rms_norm_eps"]),
      .requiredInteger("attention.key_length", ["head_dim"]), .requiredInteger("attention.value_length", ["head_dim"]),
      .fileType, .requiredFloat("attn_logit_softcapping", ["attn_logit_softcapping"]),
      .requiredFloat("final_logit_softcapping", ["final_logit_softcapping"]),
      .requiredInteger("attention.sliding_window", ["sliding_window"]),
    ],
    tokenizers: [.sentencePiece], fixedConfig: gemmaConfig)

  static let gemma3 = ArchitectureFamily(
    classes: ["Gemma3ForCausalLM"], name: "gemma3", modelType: "gemma3_text",
    rules: TensorRule.module("model.embed_tokens", "token_embd", change: .vocabularyRows) + gemmaRules
      + TensorRule.headNorms(change: .plusOne) + TensorRule.module("lm_head", "output"),
    defaults: gemmaDefaults + [.value("max_position_embeddings", 131072)],
    rotaryBase: 1_000_000,
    keys: [
      .standard, .requiredInteger("context_length", ["max_position_embeddings"]),
      .requiredInteger("attention.head_count", ["num_attention_heads"]),
      .requiredFloat("attention.layer_norm_rms_epsilon", ["rms_norm_eps"]),
      .requiredInteger("attention.key_length", ["head_dim"]), .requiredInteger("attention.value_length", ["head_dim"]),
      .special(.rotaryBase), .nonzeroFloat("final_logit_softcapping", ["final_logit_softcapping"]),
      .special(.gemmaSlidingWindow),
      .requiredInteger("attention.head_count_kv", ["num_key_value_heads"]),
    ],
    tokenizers: [.sentencePiece, .byteLevelBPE], fixedConfig: gemmaConfig)

  private static let gemmaConfig = JSONObject([
    .init("hidden_act", "gelu_pytorch_tanh"), .init("hidden_activation", "gelu_pytorch_tanh"),
  ])

  private static let gemmaRules =
    TensorRule.module("model.norm", "output_norm", change: .plusOne) + TensorRule.attention(permuted: false)
    + TensorRule.feedForward()
    + [
      ("input_layernorm", "attn_norm"), ("post_attention_layernorm", "post_attention_norm"),
      ("pre_feedforward_layernorm", "ffn_norm"), ("post_feedforward_layernorm", "post_ffw_norm"),
    ].flatMap { TensorRule.module("model.layers.{layer}.\($0.0)", "blk.{layer}.\($0.1)", change: .plusOne) }
    + TensorRule.derived

  private static let gemmaDefaults: [ParameterDefault] = [
    .decimal("rms_norm_eps", 1e-6), .value("num_key_value_heads", 4), .value("head_dim", 256),
    .value("sliding_window", 4096), .value("num_attention_heads", 8),
  ]
}
