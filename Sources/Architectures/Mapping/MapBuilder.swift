import Codecs
import JSON
import Tensors

/// Builds a map in one pass over the tensors, in their order.
struct MapBuilder {
  let family: ArchitectureFamily
  let parameters: HyperParameters
  let tensors: [SourceTensor]
  let type: OutputType
  let vocabulary: Int?
  /// Layers that the output has.
  let layers: Int

  var output: [GGUFMappedTensor] = []
  var dropped: [ArchitectureMap.Dropped] = []
  /// Expert matrices of each layer that are waiting for the rest of their stack.
  var stacks: [Int: ExpertStack] = [:]
  /// Positions of tensors that another tensor's rule looks up.
  var positions: [String: Int] = [:]
  private let rules: [String: TensorRule]
  private var seenLayers: Set<Int> = []

  init(
    family: ArchitectureFamily, parameters: HyperParameters, tensors: [SourceTensor], type: OutputType,
    vocabulary: Int?
  ) throws(ArchitectureError) {
    self.family = family
    self.parameters = parameters
    self.tensors = tensors
    self.type = type
    self.vocabulary = vocabulary
    layers = try family.blockCount(parameters)
    rules = Dictionary(family.rules.map { ($0.source, $0) }, uniquingKeysWith: { first, _ in first })
    for (index, tensor) in tensors.enumerated() {
      guard positions.updateValue(index, forKey: tensor.name) == nil else { throw .duplicateTensor(tensor.name) }
    }
  }

  mutating func build() throws(ArchitectureError) -> ArchitectureMap {
    try addConstants()
    try addBlocksFirst()
    for index in tensors.indices { try add(index) }
    try checkComplete()
    return ArchitectureMap(tensors: output, dropped: dropped)
  }

  private mutating func add(_ index: Int) throws(ArchitectureError) {
    let tensor = tensors[index]
    let name = NumberedName(tensor.name)
    if let layer = name.layer, layer >= layers, family.extraLayers == .dropped {
      return drop(index, "belongs to a layer that predicts further tokens")
    }
    if isScales(name.pattern) { return }
    guard let rule = rules[name.pattern], name.layer.map({ $0 < layers }) ?? true else {
      throw .unknownTensor(tensor.name)
    }
    if rule.change == .dropped { return drop(index, rule.targets.first ?? "") }
    if let layer = name.layer { seenLayers.insert(layer) }
    let isPacked = rule.change == .mxfp4 || rule.change == .alternatingMXFP4
    guard isPacked ? tensor.dtype == .u8 : [.f32, .f16, .bf16].contains(tensor.dtype) else {
      throw .type(tensor: tensor.name, found: tensor.dtype)
    }
    try apply(rule, to: index, name)
  }

  mutating func drop(_ index: Int, _ reason: String) {
    dropped.append(ArchitectureMap.Dropped(tensor: index, reason: reason))
  }

  /// Whether a name is that of the scales beside codes that a rule knows; they go where the codes go.
  private func isScales(_ pattern: String) -> Bool {
    guard pattern.hasSuffix("_scales") else { return false }
    return rules[String(pattern.dropLast("_scales".count)) + "_blocks"] != nil
  }

  /// The converter writes repacked blocks before all other tensors.
  private mutating func addBlocksFirst() throws(ArchitectureError) {
    for index in tensors.indices {
      let name = NumberedName(tensors[index].name)
      guard let rule = rules[name.pattern], rule.change == .mxfp4 || rule.change == .alternatingMXFP4,
        let layer = name.layer, layer < layers
      else { continue }
      guard tensors[index].dtype == .u8 else { throw .type(tensor: tensors[index].name, found: tensors[index].dtype) }
      try addBlocks(rule, index, layer)
    }
  }

  /// Everything that had to be there was there.
  private func checkComplete() throws(ArchitectureError) {
    for layer in stacks.keys.sorted() {
      if let missing = stacks[layer]?.firstMissing(layer: layer) { throw .missingTensor(missing) }
    }
    for name in ["model.embed_tokens.weight", "model.norm.weight"] where positions[name] == nil {
      throw .missingTensor(name)
    }
    for layer in 0..<layers where !seenLayers.contains(layer) {
      throw .missingTensor("model.layers.\(layer).input_layernorm.weight")
    }
  }
}

extension ArchitectureFamily {
  /// Most layers that a configuration may ask for.
  static let mostLayers = 4096

  /// Layers of the GGUF file.
  func blockCount(_ parameters: HyperParameters) throws(ArchitectureError) -> Int {
    var layers = try parameters.positive("num_hidden_layers", "n_layers", "n_layer", "num_layers")
    if extraLayers == .kept { layers += try parameters.integer("num_nextn_predict_layers") ?? 0 }
    guard layers <= Self.mostLayers else { throw .parameter("num_hidden_layers", "is above \(Self.mostLayers)") }
    return layers
  }
}
