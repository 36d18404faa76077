import Checkpoints

/// What a tensor of a GGUF model is to the rules of a mix, by its name.
enum TensorCategory: Sendable, Equatable {
  case embedding, output, attentionValue, attentionKey, attentionOutput, down, gateOrUp, other

  init(_ name: String) {
    self =
      if name == "output.weight" {
        .output
      } else if name == "token_embd.weight" || name == Self.perLayerEmbedding {
        .embedding
      } else if ["attn_qkv.weight", "attn_kv_b.weight", "attn_v.weight"].contains(where: name.contains) {
        .attentionValue
      } else if name.contains("attn_k.weight") {
        .attentionKey
      } else if name.contains("attn_output.weight") {
        .attentionOutput
      } else if name.contains("ffn_up") || name.contains("ffn_gate") {
        .gateOrUp
      } else if name.contains("ffn_down") {
        .down
      } else {
        .other
      }
  }

  /// A table that follows the option for embeddings, unless a pattern names it.
  static let perLayerEmbedding = "per_layer_token_embd.weight"
}

/// Which tensors llama-quantize never quantizes.
enum NeverQuantized {
  /// True for a tensor that stays as it is, whatever is asked.
  static func contains(_ tensor: CheckpointTensor, architecture: String) -> Bool {
    let name = tensor.name
    // A dimension of 1 on the outside doesn't count.
    guard tensor.shape.dimensions.drop(while: { $0 == 1 }).count >= 2, name.hasSuffix("weight") else { return true }
    return name == "position_embd.weight" || name == "token_types.weight" || parts.contains(where: name.contains)
      || architecture == "glm5-next" && partsOfGLM5Next.contains(where: name.contains)
  }

  /// Norms, routers, positions, and small tensors that cost more than they save.
  private static let parts = [
    "_norm.weight", "ffn_gate_inp.weight", "ffn_gate_tid2eid.weight", "altup", "laurel", "per_layer_model_proj",
    "ssm_conv1d", "shortconv.conv.weight", "indexer.k_proj.weight", "indexer.q_proj.weight", "time_mix_first.weight",
    "time_mix_w0.weight", "time_mix_w1.weight", "time_mix_w2.weight", "time_mix_v0.weight", "time_mix_v1.weight",
    "time_mix_v2.weight", "time_mix_a0.weight", "time_mix_a1.weight", "time_mix_a2.weight", "time_mix_g1.weight",
    "time_mix_g2.weight", "time_mix_decay_w1.weight", "time_mix_decay_w2.weight", "time_mix_lerp_fused.weight",
    "attn_rel_b.weight", ".position_embd", "sam.pos_embd", "sam.neck.", "sam.net_", ".rel_pos", ".patch_embd",
    ".patch_merger", "a.rvq.codebook", "mm.a.code_embd",
  ]

  private static let partsOfGLM5Next = [
    "hc_", "indexer.attn_q_b", "indexer.attn_k", "indexer.proj", "indexer_compressor_gate", "indexer_compressor_ape",
    "ssm_f_a.weight", "ssm_f_b.weight", "ssm_g_a.weight", "ssm_g_b.weight", "ssm_beta.weight", "attn_kv_a_mqa.weight",
    "attn_k_b.weight", "attn_v_b.weight",
  ]
}
