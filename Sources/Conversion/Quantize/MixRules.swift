import Checkpoints
import Codecs

/// llama-quantize's choice of a type for each tensor of a mix. It counts as it goes: the tensors must come in its order
/// (`MixOrder`).
struct MixRules {
  let fileType: GGUFFileType
  let outputType: GGMLType?
  let embeddingType: GGMLType?
  let hasImportance: Bool
  let model: MixModel
  private var valuesSeen = 0
  private var downsSeen = 0

  init(_ quantization: GGUFQuantization, model: MixModel) {
    fileType = quantization.fileType
    outputType = quantization.outputType
    embeddingType = quantization.embeddingType
    hasImportance = quantization.importance != nil
    self.model = model
  }

  private var base: GGMLType { fileType.base }

  /// The type of the next tensor, before its shape is looked at.
  mutating func next(_ tensor: CheckpointTensor, _ category: TensorCategory) -> GGMLType {
    if isKeptFine(tensor.name) { return .q8_0 }
    if category == .output || category == .embedding && !model.hasOutput { return output(tensor) }
    if fileType == .mxfp4_moe { return isExpert(tensor, category) ? .mxfp4 : .q8_0 }
    switch category {
    case .embedding: return embedding
    case .attentionValue:
      defer { valuesSeen += 1 }
      return attentionValue
    case .attentionKey: return model.experts == 8 ? .q8_0 : base
    case .down:
      defer { downsSeen += 1 }
      return down(layer: layer(of: tensor.name))
    case .attentionOutput: return attentionOutput
    case .output, .gateOrUp, .other: return base
    }
  }

  private func isKeptFine(_ name: String) -> Bool {
    model.architecture == "glm5-next" && ["attn_q_a", "attn_q_b", "nextn.eh_proj"].contains(where: name.contains)
  }

  /// The output, or the embeddings where they serve as the output.
  private func output(_ tensor: CheckpointTensor) -> GGMLType {
    if let outputType { return outputType }
    let isPlain = fileType == .mxfp4_moe || model.architecture == "falcon" || base == .q8_0
    return isPlain || tensor.shape.columns % base.blockElements != 0 ? .q8_0 : .q6_K
  }

  /// Stacked matrices are experts; where other matrices are stacked too, their names tell.
  private func isExpert(_ tensor: CheckpointTensor, _ category: TensorCategory) -> Bool {
    let dimensions = tensor.shape.dimensions
    guard dimensions.count > 2, dimensions[dimensions.count - 3] > 1 else { return false }
    return model.architecture != "bailingmoe3" || category == .gateOrUp || category == .down
  }

  private var embedding: GGMLType {
    if let embeddingType { return embeddingType }
    return [.tq1_0, .tq2_0, .q2_0].contains(fileType) ? .q4_K : base
  }

  private var attentionValue: GGMLType {
    if model.experts == 8 { return .q8_0 }
    let type = attentionValueOfMix
    return model.is70B && (type == .q3_K || type == .q4_K) ? .q5_K : type
  }

  private var attentionValueOfMix: GGMLType {
    let isShared = model.headsPerGroup >= 4
    switch fileType {
    case .q2_K: return isShared ? .q4_K : .q3_K
    case .q2_K_S: return isShared ? .q4_K : base
    case .q3_K_M: return valuesSeen < 2 ? .q5_K : .q4_K
    case .q3_K_L: return .q5_K
    case .iq4_nl, .iq4_xs: return isShared ? .q5_K : base
    case .q4_K_M, .q5_K_M: return deservesMore(valuesSeen, of: model.attentionValues) ? .q6_K : base
    case .q4_K_S: return valuesSeen < 4 ? .q5_K : base
    default: return base
    }
  }

  private func down(layer: Int) -> GGMLType {
    let isFalcon = model.architecture == "falcon"
    let isFirst = layer < model.layers / 8
    switch fileType {
    case .q2_K: return .q3_K
    case .q2_K_S: return isFirst ? .q4_K : base
    case .q3_K_M:
      if layer < model.layers / 16 { return .q5_K }
      return !isFalcon || deservesMore(layer, of: model.layers) ? .q4_K : .q3_K
    case .q3_K_L: return isFalcon ? .q4_K : .q5_K
    case .q4_K_M where isFalcon:
      return layer < model.layers / 16 ? .q6_K : deservesMore(layer, of: model.layers) ? .q5_K : .q4_K
    case .q4_K_M, .q5_K_M: return deservesMore(layer, of: model.layers) ? .q6_K : base
    case .iq4_nl, .iq4_xs: return isFirst && !hasImportance ? .q5_K : base
    case .q4_K_S: return isFirst && !isFalcon ? .q5_K : base
    case .q4_0: return isFirst && hasImportance ? .q4_1 : base
    case .q5_0: return isFirst && hasImportance ? .q5_1 : base
    default: return base
    }
  }

  private var attentionOutput: GGMLType {
    if model.architecture == "falcon" { return fileType == .q3_K_L ? .q4_K : base }
    if model.experts == 8 {
      let raised: [GGUFFileType] = [.q2_K, .q3_K_S, .q3_K_M, .iq4_nl, .q4_K_S, .q4_K_M, .iq4_xs]
      return raised.contains(fileType) ? .q5_K : base
    }
    switch fileType {
    case .q2_K: return .q3_K
    case .q3_K_M: return .q4_K
    case .q3_K_L: return .q5_K
    default: return base
    }
  }

  /// Of a model with experts, the layer that the name gives; else how many such tensors there were.
  private func layer(of name: String) -> Int {
    guard model.experts > 1, let layer = MixOrder.layer(name), layer < model.layers else { return downsSeen }
    return layer
  }

  /// The first and last eighth, and every third between.
  private func deservesMore(_ index: Int, of count: Int) -> Bool {
    index < count / 8 || index >= 7 * count / 8 || (index - count / 8) % 3 == 2
  }
}
