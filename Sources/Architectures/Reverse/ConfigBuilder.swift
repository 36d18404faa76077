import GGUF
import JSON
import Tensors

/// Makes config.json from a GGUF file's key-values, by the family's rules read backwards.
struct ConfigBuilder {
  let family: ArchitectureFamily
  let metadata: GGUFMetadata
  let tensors: [GGUFTensorInfo]
  let dtype: DType
  /// Values of tensors that follow from the configuration.
  var constants: [String: [Float]] = [:]
  private var config = JSONObject()

  init(family: ArchitectureFamily, metadata: GGUFMetadata, tensors: [GGUFTensorInfo], dtype: DType) {
    self.family = family
    self.metadata = metadata
    self.tensors = tensors
    self.dtype = dtype
  }

  mutating func build() throws(ArchitectureError) -> JSONValue {
    config["architectures"] = .array(family.classes.prefix(1).map(JSONValue.string))
    config["model_type"] = .string(family.modelType)
    for member in family.fixedConfig.members { config[member.key] = member.value }
    if config["hidden_act"] == nil { config["hidden_act"] = "silu" }
    for rule in family.keys { try read(rule) }
    try readFactors()
    try readVocabulary()
    readBiases()
    config["tie_word_embeddings"] = .bool(!has("output.weight"))
    config["dtype"] = .string(dtype == .f32 ? "float32" : dtype == .f16 ? "float16" : "bfloat16")
    for (role, key) in [("bos", "bos"), ("eos", "eos"), ("pad", "padding")] {
      if let identifier = metadata.integer("tokenizer.ggml.\(key)_token_id") {
        config["\(role)_token_id"] = .number(JSONNumber(identifier))
      }
    }
    if tensors.contains(where: { $0.type == .mxfp4 }) {
      config["quantization_config"] = ["quant_method": "mxfp4"]
    }
    return .object(config)
  }

  /// What has been read so far.
  var object: JSONObject { config }

  mutating func put(_ key: String, _ value: JSONValue) { config[key] = value }

  private func has(_ name: String) -> Bool { tensors.contains { $0.name == name } }

  private func key(_ name: String) -> String { "\(family.name).\(name)" }

  private mutating func read(_ rule: KeyRule) throws(ArchitectureError) {
    switch rule {
    case .standard: try readStandard()
    case .integer(let name, let names), .requiredInteger(let name, let names), .nonzeroInteger(let name, let names):
      integer(name, names[0])
    case .float(let name, let names), .requiredFloat(let name, let names), .nonzeroFloat(let name, let names):
      float(name, names[0])
    case .bool(let name, let names), .trueBool(let name, let names):
      config[names[0]] = .bool(metadata.bool(key(name)) ?? false)
    case .blockCount: try readLayers()
    case .rotaryDimension(let factor): readRotaryDimension(factor)
    case .special(let keys): read(keys)
    case .constant, .override, .fileType: return
    }
  }

  private mutating func integer(_ name: String, _ target: String) {
    if let value = metadata.integer(key(name)) { config[target] = .number(JSONNumber(value)) }
  }

  private mutating func float(_ name: String, _ target: String) {
    if let value = Self.number(metadata[key(name)]) { config[target] = value }
  }

  /// An F32 as the shortest decimal that gives it back.
  static func number(_ value: GGUFValue?) -> JSONValue? {
    guard case .float32(let float)? = value, let double = Double("\(float)") else { return nil }
    return JSONNumber(double).map(JSONValue.number)
  }

  private mutating func readLayers() throws(ArchitectureError) {
    guard let layers = metadata.integer(key("block_count")) else { throw .missingKey(key("block_count")) }
    let further = metadata.integer(key("nextn_predict_layers")) ?? 0
    guard layers > 0, layers <= ArchitectureFamily.mostLayers, further < layers else {
      throw .key(key("block_count"), "is not within 1 and \(ArchitectureFamily.mostLayers)")
    }
    config["num_hidden_layers"] = .number(JSONNumber(layers - (family.extraLayers == .kept ? further : 0)))
  }

  private mutating func readStandard() throws(ArchitectureError) {
    try readLayers()
    integer("context_length", "max_position_embeddings")
    integer("embedding_length", "hidden_size")
    integer("feed_forward_length", "intermediate_size")
    integer("attention.head_count", "num_attention_heads")
    integer("attention.head_count_kv", "num_key_value_heads")
    readRotary()
    float("attention.layer_norm_rms_epsilon", "rms_norm_eps")
    integer("expert_count", family.expertCount[0])
    integer("expert_used_count", "num_experts_per_tok")
    integer("expert_group_count", "n_group")
    integer("expert_group_used_count", "topk_group")
    integer("attention.key_length", "head_dim")
    if let function = metadata.integer(key("expert_gating_func")) {
      config["scoring_func"] = function == 2 ? "sigmoid" : function == 4 ? "sqrtsoftplus" : "softmax"
    }
  }

  private mutating func readVocabulary() throws(ArchitectureError) {
    guard let embedding = tensors.first(where: { $0.name == "token_embd.weight" }) else {
      throw .missingTensor("token_embd.weight")
    }
    config["vocab_size"] = .number(JSONNumber(embedding.shape.rows))
  }

  private mutating func readBiases() {
    if has("blk.0.attn_q.bias") { config["attention_bias"] = true }
    if has("blk.0.ffn_gate.bias") { config["mlp_bias"] = true }
    if family.modelType == "glm4_moe" { config["use_qk_norm"] = .bool(has("blk.0.attn_q_norm.weight")) }
  }
}
