import Calibration
import Checkpoints
import Codecs

/// Which ggml type each tensor of a GGUF model gets when the model is quantized, as llama-quantize chooses it: some
/// tensors are never quantized, some are kept finer, and a row that isn't whole blocks gets a smaller block.
struct GGUFMix: Sendable {
  let quantization: GGUFQuantization
  /// The tensors in the order in which llama-quantize writes them, by index in the source.
  let order: [Int]
  /// The type of each tensor of the source; nil leaves it as it is.
  let types: [GGMLType?]

  /// Throws `PlanError` for an option that can't be followed, naming the tensor.
  init(_ quantization: GGUFQuantization, of checkpoint: any Checkpoint) throws(PlanError) {
    let isPlain = quantization.fileType.base.plainDType != nil
    if isPlain, let first = quantization.overrides.first {
      throw PlanError(
        reason: "\(first.pattern)=\(first.type.name) has no effect where all is \(quantization.fileType.name)")
    }
    self.quantization = quantization
    let tensors = checkpoint.tensors
    order = tensors.indices.sorted { MixOrder.precedes(tensors[$0].name, tensors[$1].name) }
    var chooser = try MixChooser(quantization, model: MixModel(checkpoint))
    var types = [GGMLType?](repeating: nil, count: tensors.count)
    for index in order {
      let isStoredQuantized = checkpoint is GGUFView && tensors[index].codec is GGMLCodec
      types[index] = try chooser.next(tensors[index], isStoredQuantized: isStoredQuantized)
    }
    self.types = types
  }

  /// The importance of a tensor's columns if its new type uses it and there is an entry for it.
  /// Throws `PlanError` if the entry is of another size, or a type needs one that is missing.
  func importance(of tensor: CheckpointTensor, as type: GGMLType) throws(PlanError) -> TensorImportance? {
    let name = tensor.name
    let isTable = TensorCategory(name) == .embedding
    let found = try entry(of: tensor, isTable: isTable)
    if found == nil, quantization.fileType == .q2_K_S, type == .q2_K, !isTable, name != "output.weight" {
      let reason = quantization.importance == nil ? "give --imatrix" : "the imatrix has no entry for it"
      throw PlanError(tensor: name, reason: "Q2_K in a Q2_K_S model needs an importance matrix: \(reason)")
    }
    let isUsed = type.usesImportance || quantization.searches && type.isSearchable
    return isUsed ? found : nil
  }

  private func entry(of tensor: CheckpointTensor, isTable: Bool) throws(PlanError) -> TensorImportance? {
    guard let matrix = quantization.importance, let entry = matrix.entry(named: tensor.name) else { return nil }
    let dimensions = tensor.shape.dimensions
    let rows = dimensions.count > 1 ? dimensions[dimensions.count - 2] : 1
    let slices = dimensions.count > 2 ? dimensions[dimensions.count - 3] : 1
    guard entry.values == tensor.shape.columns * slices else {
      // llama-quantize passes over embeddings, whose inputs are tokens.
      if isTable { return nil }
      throw PlanError(
        tensor: tensor.name,
        reason: "its entry in \(matrix.path) has \(entry.values) values where \(tensor.shape.columns * slices) fit")
    }
    return TensorImportance(matrix: matrix, entry: entry, columns: tensor.shape.columns, rowsPerSlice: rows)
  }
}

/// Goes over the tensors in llama-quantize's order.
private struct MixChooser {
  private let quantization: GGUFQuantization
  private let architecture: String
  private let patterns: [(pattern: Regex<AnyRegexOutput>, type: GGMLType)]
  private var rules: MixRules

  init(_ quantization: GGUFQuantization, model: MixModel) throws(PlanError) {
    self.quantization = quantization
    architecture = model.architecture
    rules = MixRules(quantization, model: model)
    do {
      patterns = try quantization.overrides.map { (try Regex($0.pattern), $0.type) }
    } catch {
      throw PlanError(reason: "\(error)")
    }
  }

  /// The type of the next tensor; nil leaves it as it is. What a Hugging Face checkpoint holds in ggml's own blocks is
  /// left alone, unless a pattern names it.
  mutating func next(_ tensor: CheckpointTensor, isStoredQuantized: Bool) throws(PlanError) -> GGMLType? {
    if NeverQuantized.contains(tensor, architecture: architecture) { return nil }
    let category = TensorCategory(tensor.name)
    let named = patterns.first { tensor.name.contains($0.pattern) }?.type
    if let type = quantization.embeddingType, category == .embedding,
      named == nil || tensor.name != TensorCategory.perLayerEmbedding
    {
      return type
    }
    if let type = quantization.outputType, category == .output { return type }
    let base = quantization.fileType.base
    if base.plainDType != nil { return base }
    if let named { return try fitted(named, tensor) }
    if isStoredQuantized { return nil }
    return try fitted(quantization.isPure ? base : rules.next(tensor, category), tensor)
  }

  /// The type itself, or the one that takes its place where a row isn't whole blocks of it.
  private func fitted(_ type: GGMLType, _ tensor: CheckpointTensor) throws(PlanError) -> GGMLType {
    let columns = tensor.shape.columns
    if columns % type.blockElements == 0 { return type }
    let other: GGMLType =
      switch type {
      case .q2_0, .q2_K, .q3_K, .tq1_0, .tq2_0: .q4_0
      case .q4_K: .q5_0
      case .q5_K: .q5_1
      case .q6_K: .q8_0
      case .iq4_xs: .iq4_nl
      default: type
      }
    if columns % other.blockElements == 0 { return other }
    if other.blockElements > 32 {
      throw PlanError(
        tensor: tensor.name,
        reason: "its rows of \(columns) aren't whole blocks of \(type.name), and no type takes its place")
    }
    return .f16
  }
}
