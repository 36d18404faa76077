import GGUF
import JSON

/// Rotary settings and the keys of single families, read backwards.
extension ConfigBuilder {
  private func value(_ name: String) -> GGUFValue? { metadata["\(family.name).\(name)"] }

  mutating func readRotary() {
    var settings = JSONObject()
    let base = Self.number(value("rope.freq_base"))
    let type = value("rope.scaling.type")?.text
    settings["rope_type"] = .string(type ?? "default")
    settings["rope_theta"] = base
    let numbers = [
      ("factor", "factor"), ("yarn_ext_factor", "extrapolation_factor"), ("yarn_attn_factor", "attention_factor"),
      ("yarn_beta_fast", "beta_fast"), ("yarn_beta_slow", "beta_slow"),
    ]
    for (name, key) in numbers {
      if let number = Self.number(value("rope.scaling.\(name)")) { settings[key] = number }
    }
    if let context = value("rope.scaling.original_context_length")?.integer {
      settings["original_max_position_embeddings"] = .number(JSONNumber(context))
    }
    if let local = Self.number(value("rope.freq_base_swa")) {
      let sliding = JSONObject([.init("rope_type", "default"), .init("rope_theta", local)])
      settings = JSONObject([.init("full_attention", .object(settings)), .init("sliding_attention", .object(sliding))])
    }
    put("rope_parameters", .object(settings))
  }

  mutating func readRotaryDimension(_ factor: Double?) {
    guard let dimension = value("rope.dimension_count")?.integer else { return }
    if factor == nil { return readHeadSize(dimension) }
    guard let size = value("attention.key_length")?.integer ?? headShare(), size > 0,
      let share = JSONNumber(Double(dimension) / Double(size))
    else { return }
    put("partial_rotary_factor", .number(share))
  }

  /// Llama's head size, where it isn't what the hidden size gives.
  private mutating func readHeadSize(_ dimension: Int) {
    if let share = headShare(), share != dimension { put("head_dim", .number(JSONNumber(dimension))) }
  }

  private func headShare() -> Int? {
    guard let hidden = value("embedding_length")?.integer, let heads = value("attention.head_count")?.integer, heads > 0
    else { return nil }
    return hidden / heads
  }

  mutating func read(_ keys: SpecialKeys) {
    switch keys {
    case .latentAttention: readLatentAttention()
    case .slidingWindowOrZero:
      let window = value("attention.sliding_window")?.integer ?? 0
      put("sliding_window", window == 0 ? .null : .number(JSONNumber(window)))
    case .gemmaSlidingWindow: integer(key: "attention.sliding_window", "sliding_window")
    case .leadingDenseBlocks: integer(key: "leading_dense_block_count", "first_k_dense_replace")
    case .nextTokenLayers: integer(key: "nextn_predict_layers", "num_nextn_predict_layers")
    case .originalContext:
      integer(key: "rope.scaling.original_context_length", "original_max_position_embeddings")
    case .yarnLogMultiplier: readLogMultiplier()
    case .phiRotaryDimension: readPhi()
    case .rotaryBase: if object["rope_parameters"] == nil { readRotary() }
    }
  }

  private mutating func integer(key: String, _ target: String) {
    if let number = value(key)?.integer { put(target, .number(JSONNumber(number))) }
  }

  /// Latent attention was written as one key-value head.
  private mutating func readLatentAttention() {
    integer(key: "attention.kv_lora_rank", "kv_lora_rank")
    if value("attention.q_lora_rank") == nil { put("q_lora_rank", .null) }
    integer(key: "attention.value_length_mla", "v_head_dim")
    integer(key: "attention.head_count", "num_key_value_heads")
    guard let whole = value("attention.key_length_mla")?.integer, let rotated = value("rope.dimension_count")?.integer
    else { return }
    put("qk_nope_head_dim", .number(JSONNumber(whole - rotated)))
    put("qk_rope_head_dim", .number(JSONNumber(rotated)))
    put("head_dim", .number(JSONNumber(rotated)))
  }

  private mutating func readLogMultiplier() {
    guard case .float32(let scale)? = value("rope.scaling.yarn_log_multiplier"),
      let multiplier = Double("\(scale * 10)"), let number = JSONNumber(multiplier),
      var settings = object["rope_parameters"]?.object
    else { return }
    settings["mscale"] = .number(number)
    settings["mscale_all_dim"] = .number(number)
    put("rope_parameters", .object(settings))
  }

  /// Phi-3's share of rotated elements.
  private mutating func readPhi() {
    guard let dimension = value("rope.dimension_count")?.integer, let size = headShare(), size > 0 else { return }
    if let share = JSONNumber(Double(dimension) / Double(size)) { put("partial_rotary_factor", .number(share)) }
  }
}
