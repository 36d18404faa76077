import Architectures
import Codecs
import GGUF
import Tensors
import Testing

/// GGUF files whose tensors don't fit their key-values.
struct ReverseErrorTests {
  private static let metadata: GGUFMetadata = [
    "general.architecture": .string("llama"), "general.file_type": .uint32(32), "llama.block_count": .uint32(2),
    "llama.embedding_length": .uint32(4), "llama.attention.head_count": .uint32(2),
    "llama.attention.head_count_kv": .uint32(2), "llama.expert_count": .uint32(2),
  ]

  private func error(
    _ metadata: GGUFMetadata = metadata, _ change: (inout [GGUFTensorInfo]) throws -> Void = { _ in }
  ) throws -> ArchitectureError? {
    let forward = try #require(ArchitectureRegistry.find(config: MapErrorTests.config))
    let map = try forward.map(config: MapErrorTests.config, tensors: try MapErrorTests.tensors(), type: .bf16)
    var infos = map.tensors.map { GGUFTensorInfo(name: $0.name, type: $0.type, shape: $0.shape) }
    try change(&infos)
    do throws(ArchitectureError) {
      _ = try forward.reverse(metadata: metadata, tensors: infos)
      return nil
    } catch {
      return error
    }
  }

  @Test func goodOne() throws { #expect(try error() == nil) }

  @Test func unknownTensor() throws {
    #expect(try error { $0[4].name = "blk.0.other.weight" } == .unknownTensor("blk.0.other.weight"))
  }

  @Test func missingTensor() throws {
    #expect(
      try error { $0.removeAll { $0.name == "token_embd.weight" } } == .missingTensor("token_embd.weight"))
  }

  @Test func expertCount() throws {
    var metadata = Self.metadata
    metadata["llama.expert_count"] = .uint32(3)
    #expect(try error(metadata)?.misshapen == "blk.0.ffn_gate_exps.weight")
    metadata["llama.expert_count"] = nil
    #expect(try error(metadata) == .missingKey("llama.expert_count"))
  }

  @Test func heads() throws {
    var metadata = Self.metadata
    metadata["llama.attention.head_count"] = .uint32(3)
    #expect(try error(metadata)?.misshapen == "blk.0.attn_q.weight")
  }

  @Test func rank() throws {
    let flat = try #require(Shape([48]))
    let flattened = try error { tensors in
      for index in tensors.indices where tensors[index].name.contains("gate_exps") { tensors[index].shape = flat }
    }
    #expect(flattened?.misshapen == "blk.0.ffn_gate_exps.weight")
  }
}
