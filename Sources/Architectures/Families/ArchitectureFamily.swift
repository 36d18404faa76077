import JSON

/// One model family: what the converter of llama.cpp does with it, as data.
struct ArchitectureFamily: Sendable {
  /// Names in config.json's `architectures`.
  let classes: [String]
  /// Value of `general.architecture` and prefix of the family's keys.
  let name: String
  /// `model_type` of a configuration made from a GGUF file.
  let modelType: String
  let rules: [TensorRule]
  let defaults: [ParameterDefault]
  /// Base of the rotary frequencies where config.json has none.
  var rotaryBase: Double? = 10000
  /// The keys of the family, in order.
  let keys: [KeyRule]
  /// Which tokenizers the family may have, in the order in which they are tried.
  let tokenizers: [TokenizerKind]
  /// Names that the family's tokenizers have where the configuration alone fits several.
  var preTokenizers: [String: String] = [:]
  /// Keys of the number of experts in config.json, the family's own first.
  var expertCount = ["num_local_experts", "num_experts", "n_routed_experts"]
  /// What happens to layers past `num_hidden_layers`, which predict further tokens.
  var extraLayers = ExtraLayers.unknown
  /// What config.json says beside the keys above, where it is made from a GGUF file.
  var fixedConfig: JSONObject = JSONObject()
  /// Tensors that follow from the configuration.
  var constants: ConstantTensors = .none

  enum ExtraLayers: Sendable {
    case unknown
    case dropped
    /// Counted as layers: `num_nextn_predict_layers` of them.
    case kept
  }

  enum ConstantTensors: Sendable {
    case none
    /// Llama 3's frequency factors.
    case llama3
    /// Phi-3's long and short factors.
    case longRope
  }
}

/// Kinds of tokenizer files.
enum TokenizerKind: Sendable {
  /// SentencePiece's tokenizer.model.
  case sentencePiece
  /// The same, where tokenizer.json and tokenizer_config.json may rename tokens as Phi-3's do.
  case sentencePieceRenamed
  /// tokenizer.json of a SentencePiece-like BPE with byte fallback.
  case byteFallbackBPE
  /// tokenizer.json of a byte-level BPE.
  case byteLevelBPE
}
