import JSON
import Tensors

extension Architecture {
  /// How the tensors of a checkpoint go into a GGUF file, with the vocabulary's size from the model's tokenizer.
  public func map(
    _ model: HuggingFaceModel, tensors: [SourceTensor], type: OutputType
  ) throws(ArchitectureError) -> ArchitectureMap {
    try map(
      config: model.config, tensors: tensors, type: type,
      vocabulary: model.tokenizer.vocabularySize(config: model.config))
  }

  /// How the tensors of a checkpoint go into a GGUF file.
  ///
  /// - Parameters:
  ///   - config: config.json.
  ///   - tensors: all tensors in the order of the converter: files by name, and in each the order of its header.
  ///   - type: type of the matrices.
  ///   - vocabulary: number of tokens, if known; Gemma 3 leaves out the embedding's rows past it.
  /// - Throws: `ArchitectureError` for a tensor that is unknown, missing, or not as the configuration says.
  public func map(
    config: JSONValue, tensors: [SourceTensor], type: OutputType, vocabulary: Int? = nil
  ) throws(ArchitectureError) -> ArchitectureMap {
    let parameters = HyperParameters(config, defaults: family.defaults)
    var builder = try MapBuilder(
      family: family, parameters: parameters, tensors: tensors, type: type, vocabulary: vocabulary)
    return try builder.build()
  }
}
