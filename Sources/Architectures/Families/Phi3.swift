extension ArchitectureFamily {
  /// Phi-3, 3.5 and 4: query, key and value in one matrix, gate and up in another, both left as they are.
  static let phi3 = ArchitectureFamily(
    classes: ["Phi3ForCausalLM"], name: "phi3", modelType: "phi3",
    rules: TensorRule.ends + TensorRule.layerNorms
      + TensorRule.module("model.layers.{layer}.self_attn.qkv_proj", "blk.{layer}.attn_qkv")
      + TensorRule.module("model.layers.{layer}.self_attn.o_proj", "blk.{layer}.attn_output")
      + TensorRule.module("model.layers.{layer}.mlp.gate_up_proj", "blk.{layer}.ffn_up")
      + TensorRule.module("model.layers.{layer}.mlp.down_proj", "blk.{layer}.ffn_down") + TensorRule.derived,
    defaults: [
      .value("max_position_embeddings", 4096), .value("original_max_position_embeddings", 4096),
      .decimal("rms_norm_eps", 1e-5), .same("num_key_value_heads", as: "num_attention_heads"),
    ],
    keys: [
      .requiredInteger("context_length", ["n_positions", "max_position_embeddings"]), .special(.originalContext),
      .requiredInteger("embedding_length", ["hidden_size"]),
      .requiredInteger("feed_forward_length", ["intermediate_size"]), .blockCount,
      .requiredInteger("attention.head_count", ["num_attention_heads"]),
      .requiredInteger("attention.head_count_kv", ["num_key_value_heads"]),
      .requiredFloat("attention.layer_norm_rms_epsilon", ["rms_norm_eps"]), .special(.phiRotaryDimension),
      .special(.rotaryBase), .fileType, .special(.slidingWindowOrZero),
    ],
    tokenizers: [.byteLevelBPE, .sentencePieceRenamed], preTokenizers: ["llama-bpe": "dbrx"], constants: .longRope)
}
