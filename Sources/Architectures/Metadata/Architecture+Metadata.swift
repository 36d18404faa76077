import GGUF
import JSON

extension Architecture {
  /// All key-values of the GGUF file that a model becomes, in the converter's order: general, architecture,
  /// quantization version, tokenizer.
  ///
  /// - Parameters:
  ///   - map: from `map(config:tensors:type:vocabulary:)`.
  ///   - preTokenizer: name of the pre-tokenizer, where it isn't recognized.
  /// - Throws: `ArchitectureError`.
  public func metadata(
    _ model: HuggingFaceModel, map: ArchitectureMap, type: OutputType, preTokenizer: String? = nil
  ) throws(ArchitectureError) -> GGUFMetadata {
    var metadata = try modelKeys(model, map: map, type: type)
    try addTokenizer(of: model, preTokenizer: preTokenizer, to: &metadata)
    return metadata
  }

  /// Adds the keys of the tokenizer. Throws `ArchitectureError` for files that are missing or no tokenizer.
  public func addTokenizer(
    of model: HuggingFaceModel, preTokenizer: String? = nil, to metadata: inout GGUFMetadata
  ) throws(ArchitectureError) {
    let tokenizer = TokenizerWriter(
      family: family, files: model.tokenizer, config: model.config,
      parameters: HyperParameters(model.config, defaults: family.defaults), preTokenizer: preTokenizer)
    try tokenizer.write(into: &metadata)
  }

  /// `general.file_type` of a file that keeps 4-bit floats, as llama.cpp numbers them; nil if there are none.
  private static func packedFileType(_ map: ArchitectureMap) -> Int? {
    if map.tensors.contains(where: { $0.type == .mxfp4 }) { return 38 }
    return map.tensors.contains { $0.type == .nvfp4 } ? 39 : nil
  }

  /// The keys before the tokenizer's.
  func modelKeys(
    _ model: HuggingFaceModel, map: ArchitectureMap, type: OutputType
  ) throws(ArchitectureError) -> GGUFMetadata {
    let parameters = HyperParameters(model.config, defaults: family.defaults)
    let rotary = RotaryParameters(parameters, defaultBase: family.rotaryBase)
    let factor = family.constants == .longRope ? try PhiRotary.attentionFactor(parameters, rotary) : nil
    var writer = KeyWriter(
      family: family, parameters: parameters, rotary: rotary, type: Self.packedFileType(map) ?? type.fileType,
      layers: try family.blockCount(parameters),
      metadata: GeneralKeys.write(
        model, architecture: family.name, attentionFactor: factor, tensors: map.tensors))
    try writer.write(family.keys)
    writer.metadata["general.quantization_version"] = .uint32(2)
    return writer.metadata
  }
}
