import Architectures
import ByteIO
import GGUF
import JSON
import Safetensors
import TestSupport

/// A Hugging Face directory, its map and its key-values.
struct ConvertedModel {
  let model: HuggingFaceModel
  let file: SafetensorsFile
  let sources: [SourceTensor]
  let architecture: Architecture
  let map: ArchitectureMap
  let metadata: GGUFMetadata

  struct Unknown: Error {}

  init(_ directory: String, preTokenizer: String? = nil) throws {
    model = try HuggingFaceModel(directory: directory)
    file = try SafetensorsFile(directory + "/model.safetensors")
    sources = file.tensors.map { SourceTensor(name: $0.name, shape: $0.shape, dtype: $0.dtype) }
    guard let architecture = ArchitectureRegistry.find(config: model.config) else { throw Unknown() }
    self.architecture = architecture
    map = try architecture.map(model, tensors: sources, type: .bf16)
    metadata = try architecture.metadata(model, map: map, type: .bf16, preTokenizer: preTokenizer)
  }

  func bytes(of tensor: GGUFMappedTensor) throws -> [UInt8] {
    try MapReference { index in
      MapReference.Input(bytes: try file.bytes(of: file.tensors[index]), dtype: sources[index].dtype)
    }.bytes(of: tensor)
  }
}
