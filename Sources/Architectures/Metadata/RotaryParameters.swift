import JSON

/// The rotary embedding's settings, whether config.json has `rope_parameters` or the older `rope_theta` and
/// `rope_scaling`.
struct RotaryParameters: Sendable {
  /// As they stand, with what the top level of the configuration says added.
  private(set) var all: JSONObject
  /// Those of the layers with full attention: `all`, unless layers differ.
  var full: JSONObject { all["full_attention"]?.object ?? all }
  /// The base of the layers with sliding attention, if it is given apart.
  var slidingBase: JSONValue? { all["sliding_attention"]?["rope_theta"] }

  init(_ parameters: HyperParameters, defaultBase: Double?) {
    all = (parameters["rope_parameters"] ?? parameters["rope_scaling"])?.object ?? JSONObject()
    guard all["full_attention"] == nil, all["sliding_attention"] == nil else { return }
    let base = parameters.first([
      "global_rope_theta", "rope_global_theta", "rope_theta_global", "rope_theta", "rotary_emb_base",
    ])
    let local = parameters.first([
      "local_rope_theta", "rope_local_theta", "rope_theta_local", "swa_rope_theta", "rope_local_base_freq",
    ])
    if let local { all["sliding_attention"] = .object(JSONObject([.init("rope_theta", local)])) }
    Self.add("rope_theta", base ?? defaultBase.flatMap(JSONNumber.init).map(JSONValue.number), to: &all)
    Self.add("rope_type", all["type"], to: &all)
    Self.add("partial_rotary_factor", parameters["partial_rotary_factor"], to: &all)
    Self.add("original_max_position_embeddings", parameters["original_max_position_embeddings"], to: &all)
    if let type = all["rope_type"]?.string, ["yarn", "longrope", "su", "llama3"].contains(type) {
      Self.add("original_max_position_embeddings", parameters["max_position_embeddings"], to: &all)
    }
  }

  private static func add(_ key: String, _ value: JSONValue?, to object: inout JSONObject) {
    if object[key] == nil, let value { object[key] = value }
  }
}
