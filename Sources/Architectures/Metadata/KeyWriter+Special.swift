/// Keys that one family alone needs.
extension KeyWriter {
  mutating func write(_ keys: SpecialKeys) throws(ArchitectureError) {
    switch keys {
    case .latentAttention: try writeLatentAttention()
    case .rotaryBase:
      guard let base = rotary.full["rope_theta"]?.double else { throw .missingParameter("rope_theta") }
      set("rope.freq_base", base)
    case .slidingWindowOrZero: try set("attention.sliding_window", parameters.integer("sliding_window") ?? 0)
    case .phiRotaryDimension: try set("rope.dimension_count", PhiRotary.dimensions(parameters, rotary))
    case .originalContext: try set("rope.scaling.original_context_length", PhiRotary.originalContext(rotary))
    case .yarnLogMultiplier:
      if let scale = rotary.all["mscale_all_dim"]?.double { set("rope.scaling.yarn_log_multiplier", 0.1 * scale) }
    case .leadingDenseBlocks:
      let dense = parameters["n_routed_experts"] == nil ? layers : 0
      try set("leading_dense_block_count", parameters.integer("first_k_dense_replace") ?? dense)
    case .gemmaSlidingWindow:
      guard try parameters.integer("sliding_window_pattern") != 1 else { return }
      try set("attention.sliding_window", parameters.required("sliding_window"))
    case .nextTokenLayers:
      if let layers = try parameters.integer("num_nextn_predict_layers") { try set("nextn_predict_layers", layers) }
    }
  }

  /// Latent attention is run as one key-value head as long as the latent vector.
  private mutating func writeLatentAttention() throws(ArchitectureError) {
    let rank = try parameters.required("kv_lora_rank")
    let (rotated, plain) = (try parameters.required("qk_rope_head_dim"), try parameters.required("qk_nope_head_dim"))
    try set("attention.kv_lora_rank", rank)
    try set("attention.key_length", rank + rotated)
    try set("attention.value_length", rank)
    try set("attention.key_length_mla", plain + rotated)
    try set("attention.value_length_mla", parameters.required("v_head_dim"))
  }
}
