import ByteIO
import Codecs
import GGUF
import JSON
import Safetensors
import Tensors
import TestSupport
import Testing

@testable import Architectures

/// GGUF back to Hugging Face, and forth again.
@Suite(.enabled(if: Fixtures.hasShared, "shared/ is not beside the checkout"))
struct ReverseTests {
  @Test(arguments: FixtureForwardTests.pairs) func tensorsComeBack(_ directory: String, _ path: String) throws {
    let gguf = try GGUFFile(Fixtures.shared(path))
    let original = try SafetensorsFile(Fixtures.shared(directory) + "/model.safetensors")
    let architecture = try #require(ArchitectureRegistry.find(metadata: gguf.metadata))
    let map = try architecture.reverse(metadata: gguf.metadata, tensors: gguf.tensors.map(\.info))
    #expect(Set(map.tensors.map(\.name)) == Set(original.tensors.map(\.name)))
    let reference = MapReference { index in
      let tensor = gguf.tensors[index]
      return MapReference.Input(bytes: try gguf.input.bytes(tensor.range), dtype: tensor.type.plainDType)
    }
    for tensor in map.tensors {
      let stored = try #require(original[tensor.name])
      #expect(tensor.shape == stored.shape && tensor.type == stored.dtype, "\(tensor.name)")
      #expect(try reference.bytes(of: tensor) == original.bytes(of: stored), "\(tensor.name)")
    }
  }

  /// The files made from a GGUF file convert to the same key-values, and name the same architecture.
  @Test(arguments: FixtureForwardTests.pairs) func keyValuesComeBack(_ directory: String, _ path: String) throws {
    let gguf = try GGUFFile(Fixtures.shared(path))
    let architecture = try #require(ArchitectureRegistry.find(metadata: gguf.metadata))
    let infos = gguf.tensors.map(\.info)
    let files = try architecture.files(metadata: gguf.metadata, tensors: infos).files
    let temporary = try TemporaryDirectory()
    let name = Path.name(of: directory)
    for file in files { try temporary.write(file.bytes, to: "\(name)/\(file.name)") }
    let model = try HuggingFaceModel(directory: temporary.file(name))
    let again = try #require(ArchitectureRegistry.find(config: model.config))
    #expect(again.family.modelType == architecture.family.modelType)
    let reverse = try architecture.reverse(metadata: gguf.metadata, tensors: infos)
    let sources = reverse.tensors.map { SourceTensor(name: $0.name, shape: $0.shape, dtype: $0.type) }
    let map = try again.map(model, tensors: sources, type: .bf16)
    let metadata = try again.metadata(model, map: map, type: .bf16)
    #expect(Set(metadata.entries.map(\.key)) == Set(gguf.metadata.entries.map(\.key)))
    for entry in gguf.metadata.entries { #expect(metadata[entry.key] == entry.value, "\(entry.key)") }
  }

  /// Every family: tensors byte for byte, and a configuration that gives the same architecture keys.
  /// Experts that were fused come back one by one, so that model is left out.
  @Test(arguments: Golden.names().filter { !$0.contains("fused") }) func goldensComeBack(_ name: String) throws {
    let golden = try Golden(name)
    let architecture = try golden.architecture()
    let forward = try golden.map()
    let model = HuggingFaceModel(directoryName: golden.directory, config: golden.config)
    let keys = try architecture.modelKeys(model, map: forward, type: .bf16)
    let infos = forward.tensors.map { GGUFTensorInfo(name: $0.name, type: $0.type, shape: $0.shape) }
    let first = MapReference { golden.input($0) }
    let outputs = try forward.tensors.map { try first.bytes(of: $0) }
    let found = try #require(ArchitectureRegistry.find(metadata: keys))
    let reverse = try found.reverse(metadata: keys, tensors: infos)
    let second = MapReference { MapReference.Input(bytes: outputs[$0], dtype: infos[$0].type.plainDType) }
    #expect(Set(reverse.tensors.map(\.name)).isSubset(of: golden.sources.map(\.name)))
    for tensor in reverse.tensors {
      let index = try #require(golden.sources.firstIndex { $0.name == tensor.name })
      let expected = golden.input(index).bytes
      let bytes = try second.bytes(of: tensor)
      // Gemma 3's embedding loses the rows past the vocabulary.
      #expect(bytes.elementsEqual(expected.prefix(bytes.count)), "\(tensor.name)")
      let isCut = golden.directory.hasPrefix("gemma-3") && tensor.name == "model.embed_tokens.weight"
      #expect(isCut || tensor.shape == golden.sources[index].shape, "\(tensor.name)")
    }
    let constants = forward.tensors.reduce(into: [String: [Float]]()) { constants, tensor in
      if case .constant(let values) = tensor.content { constants[tensor.name] = values }
    }
    let config = try found.config(metadata: keys, tensors: infos, constants: constants)
    let again = HuggingFaceModel(directoryName: golden.directory, config: config)
    let repeated = try found.modelKeys(again, map: forward, type: .bf16)
    #expect(Set(repeated.entries.map(\.key)) == Set(keys.entries.map(\.key)))
    for entry in keys.entries where entry.key != "\(found.name).vocab_size" {
      #expect(repeated[entry.key] == entry.value, "\(entry.key)")
    }
  }
}
