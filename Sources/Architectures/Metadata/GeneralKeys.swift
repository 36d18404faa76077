import GGUF
import JSON

/// The `general.*` keys: who made the model, what it is called and how large it is.
struct GeneralKeys {
  private(set) var metadata = GGUFMetadata()
  private var details = ModelDetails()

  /// The keys before those of the architecture.
  static func write(
    _ model: HuggingFaceModel, architecture: String, attentionFactor: Double?, tensors: [GGUFMappedTensor]
  ) -> GGUFMetadata {
    var keys = GeneralKeys()
    keys.metadata["general.architecture"] = .string(architecture)
    // Set while tensors are written, before all other keys.
    if let attentionFactor {
      keys.metadata["\(architecture).rope.scaling.attn_factor"] = .float32(Float(attentionFactor))
    }
    keys.metadata["general.type"] = .string("model")
    keys.writeSampling(model.generationConfig)
    let count = ParameterCount(tensors)
    keys.details.read(model, parameters: count.total)
    if keys.details.sizeLabel == nil, count.total > 0 { keys.details.sizeLabel = count.label }
    keys.details.write(into: &keys.metadata)
    return keys.metadata
  }

  private mutating func writeSampling(_ config: JSONValue?) {
    guard let config else { return }
    if let sequence = config["sequence"]?.string { set("sequence", .string(sequence)) }
    integer("top_k", config["top_k"])
    float("top_p", config["top_p"])
    float("min_p", config["min_p"])
    float("xtc_probability", config["xtc_probability"])
    float("xtc_threshold", config["xtc_threshold"])
    float("temp", config["temperature"])
    integer("penalty_last_n", config["penalty_last_n"])
    float("penalty_repeat", config["penalty_repeat"])
    integer("mirostat", config["mirostat"])
    float("mirostat_tau", config["mirostat_tau"])
    float("mirostat_eta", config["mirostat_eta"])
  }

  private mutating func set(_ key: String, _ value: GGUFValue) { metadata["general.sampling.\(key)"] = value }

  private mutating func integer(_ key: String, _ value: JSONValue?) {
    if let integer = value?.int, let narrow = Int32(exactly: integer) { set(key, .int32(narrow)) }
  }

  private mutating func float(_ key: String, _ value: JSONValue?) {
    if let number = value?.double { set(key, .float32(Float(number))) }
  }
}
