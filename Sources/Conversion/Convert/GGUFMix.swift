import Checkpoints
import Codecs

/// Which ggml type each tensor of a GGUF model gets when the model is quantized, as llama-quantize chooses it: some
/// tensors are never quantized, the output and some layers are kept finer, and a row that isn't whole blocks gets a
/// smaller block.
struct GGUFMix: Sendable {
  /// How many tensors get a finer type than asked for.
  enum Grade: Sendable { case plain, medium, small, pure }

  let type: GGMLType
  let grade: Grade
  private let hasOutput: Bool
  private let experts: Int
  private let layers: Int

  /// Reads the name of a type or mix, such as `q8_0`, `q4_k` (the same as `q4_k_m`) or `q4_k_s`; nil for another.
  init?(_ text: String, pure: Bool, checkpoint: any Checkpoint) {
    let name = text.uppercased()
    let base = name.hasSuffix("_S") || name.hasSuffix("_M") ? String(name.dropLast(2)) : name
    guard let type = GGMLType(name: name == "MXFP4_MOE" ? "MXFP4" : base), type.plainDType == nil else { return nil }
    self.type = type
    let isMixed = type == .q4_K || type == .q5_K
    guard isMixed || base == name else { return nil }
    grade = pure ? .pure : !isMixed ? .plain : name.hasSuffix("_S") ? .small : .medium
    hasOutput = checkpoint.tensors.contains { $0.name == "output.weight" }
    let metadata = GGUFModelFacts(checkpoint)
    experts = metadata.experts
    layers = metadata.layers
  }

  /// The type of a tensor; nil leaves it as it is.
  func type(of tensor: CheckpointTensor) -> GGMLType? {
    guard Self.canBeQuantized(tensor) else { return nil }
    return fitted(wanted(tensor), columns: tensor.shape.columns)
  }

  private func wanted(_ tensor: CheckpointTensor) -> GGMLType {
    if grade == .pure { return type }
    let name = tensor.name
    let isOutput = name == (hasOutput ? "output.weight" : "token_embd.weight")
    if type == .mxfp4 { return tensor.shape.rank > 2 ? .mxfp4 : .q8_0 }
    if isOutput { return type == .q8_0 ? type : tensor.shape.columns % 256 == 0 ? .q6_K : .q8_0 }
    if experts == 8, name.hasSuffix("attn_v.weight") || name.hasSuffix("attn_k.weight") { return .q8_0 }
    if experts == 8, name.hasSuffix("attn_output.weight"), type == .q4_K { return .q5_K }
    guard let layer = Self.layer(name) else { return type }
    let isValue = name.hasSuffix("attn_v.weight")
    let isDown = name.contains("ffn_down")
    switch grade {
    case .medium: return (isValue || isDown) && deservesMore(layer) ? .q6_K : type
    case .small where type == .q4_K: return isValue && layer < 4 || isDown && layer < layers / 8 ? .q5_K : type
    default: return type
    }
  }

  /// The first and last eighth of the layers, and every third between.
  private func deservesMore(_ layer: Int) -> Bool {
    layer < layers / 8 || layer >= 7 * layers / 8 || (layer - layers / 8) % 3 == 2
  }

  private static func layer(_ name: String) -> Int? {
    let parts = name.split(separator: ".")
    return parts.count > 2 && parts[0] == "blk" ? Int(parts[1]) : nil
  }

  /// What llama.cpp never quantizes is left alone.
  private static func canBeQuantized(_ tensor: CheckpointTensor) -> Bool {
    let name = tensor.name
    guard tensor.shape.rank >= 2, name.hasSuffix("weight"), !name.contains("_norm.weight") else { return false }
    let kept = [
      "ffn_gate_inp.weight", "ffn_gate_tid2eid.weight", "altup", "laurel", "per_layer_model_proj", "position_embd",
      "token_types", "ssm_conv1d", "shortconv.conv", "indexer.k_proj", "indexer.q_proj", "attn_rel_b", "sam.",
      ".rel_pos", ".patch_embd", ".patch_merger",
    ]
    return !kept.contains { name.contains($0) }
  }

  /// The type itself, or the one that takes its place where a row isn't whole blocks of it.
  private func fitted(_ type: GGMLType, columns: Int) -> GGMLType {
    if columns % type.blockElements == 0 { return type }
    let other: GGMLType =
      switch type {
      case .q4_K: .q5_0
      case .q5_K: .q5_1
      case .q6_K: .q8_0
      case .q2_K, .q3_K, .tq1_0, .tq2_0: .q4_0
      case .iq4_xs: .iq4_nl
      default: .f16
      }
    return columns % other.blockElements == 0 ? other : .f16
  }

  /// `general.file_type` of the result, as llama.cpp numbers them; nil for a type that it has no number for.
  var fileType: UInt32? {
    switch type {
    case .q4_0: 2
    case .q4_1: 3
    case .q8_0: 7
    case .q5_0: 8
    case .q5_1: 9
    case .q2_K: 10
    case .q3_K: 12
    case .q4_K: grade == .small ? 14 : 15
    case .q5_K: grade == .small ? 16 : 17
    case .q6_K: 18
    case .iq4_nl: 25
    case .iq4_xs: 30
    case .tq1_0: 36
    case .tq2_0: 37
    case .mxfp4: 38
    case .nvfp4: 39
    case .q1_0: 40
    case .q2_0: 41
    default: nil
    }
  }
}

/// What a mix has to know of the model.
private struct GGUFModelFacts {
  let experts: Int
  let layers: Int

  init(_ checkpoint: any Checkpoint) {
    let metadata = GGUFSource.metadata(of: checkpoint)
    let name = metadata?.text("general.architecture") ?? ""
    experts = metadata?.integer("\(name).expert_count") ?? 0
    layers = metadata?.integer("\(name).block_count") ?? 0
  }
}
