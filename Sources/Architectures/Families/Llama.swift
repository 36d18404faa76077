extension ArchitectureFamily {
  /// Llama 1 to 3, Mistral and Mixtral: one architecture in GGUF.
  static let llama = ArchitectureFamily(
    classes: ["LlamaForCausalLM", "LLaMAForCausalLM"], name: "llama", modelType: "llama",
    rules: llamaRules, defaults: llamaDefaults, keys: llamaKeys, tokenizers: llamaTokenizers, constants: .llama3)

  static let mistral = ArchitectureFamily(
    classes: ["MistralForCausalLM"], name: "llama", modelType: "mistral",
    rules: llamaRules,
    defaults: [.value("max_position_embeddings", 131072), .value("num_key_value_heads", 8)] + llamaDefaults,
    keys: llamaKeys, tokenizers: llamaTokenizers, constants: .llama3)

  static let mixtral = ArchitectureFamily(
    classes: ["MixtralForCausalLM"], name: "llama", modelType: "mixtral",
    rules: TensorRule.ends + TensorRule.layerNorms + TensorRule.attention(permuted: true) + mixtralExperts
      + TensorRule.module("model.layers.{layer}.block_sparse_moe.gate", "blk.{layer}.ffn_gate_inp")
      + TensorRule.derived,
    defaults: [
      .value("max_position_embeddings", 131072), .value("num_key_value_heads", 8), .decimal("rms_norm_eps", 1e-5),
      .same("num_key_value_heads", as: "num_attention_heads"),
    ],
    rotaryBase: 1_000_000, keys: llamaKeys, tokenizers: llamaTokenizers, constants: .llama3)

  private static let llamaRules =
    TensorRule.ends + TensorRule.layerNorms + TensorRule.attention(permuted: true) + TensorRule.feedForward()
    + TensorRule.derived

  private static let llamaDefaults: [ParameterDefault] = [
    .value("max_position_embeddings", 2048), .decimal("rms_norm_eps", 1e-6),
    .same("num_key_value_heads", as: "num_attention_heads"), .headSize,
  ]

  static let llamaKeys: [KeyRule] = [
    .standard, .requiredInteger("vocab_size", ["vocab_size"]), .rotaryDimension(factor: nil),
  ]

  static let llamaTokenizers: [TokenizerKind] = [.sentencePiece, .byteFallbackBPE, .byteLevelBPE]

  private static let mixtralExperts = [("w1", "gate"), ("w2", "down"), ("w3", "up")].map {
    TensorRule(
      exact: "model.layers.{layer}.block_sparse_moe.experts.{expert}.\($0.0).weight",
      "blk.{layer}.ffn_\($0.1)_exps.weight", change: .expert)
  }
}
