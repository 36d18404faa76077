import Architectures
import Codecs
import GGUF
import JSON
import Tensors
import Testing

/// Checkpoints that don't fit their configuration, made from a good one.
struct MapErrorTests {
  /// The tensors of a small Mixtral of two layers.
  static func tensors(experts: Int = 2) throws -> [SourceTensor] {
    var tensors: [SourceTensor] = []
    func add(_ name: String, _ dimensions: [Int]) throws {
      tensors.append(SourceTensor(name: name, shape: try #require(Shape(dimensions)), dtype: .bf16))
    }
    try add("lm_head.weight", [8, 4])
    try add("model.embed_tokens.weight", [8, 4])
    for layer in 0..<2 {
      let base = "model.layers.\(layer)"
      for expert in 0..<experts {
        for (name, shape) in [("w1", [6, 4]), ("w2", [4, 6]), ("w3", [6, 4])] {
          try add("\(base).block_sparse_moe.experts.\(expert).\(name).weight", shape)
        }
      }
      try add("\(base).block_sparse_moe.gate.weight", [experts, 4])
      try add("\(base).input_layernorm.weight", [4])
      try add("\(base).post_attention_layernorm.weight", [4])
      for name in ["q", "k", "v", "o"] { try add("\(base).self_attn.\(name)_proj.weight", [4, 4]) }
    }
    try add("model.norm.weight", [4])
    return tensors
  }

  static let config: JSONValue = [
    "architectures": ["MixtralForCausalLM"], "hidden_size": 4, "intermediate_size": 6, "num_hidden_layers": 2,
    "num_attention_heads": 2, "num_key_value_heads": 2, "num_local_experts": 2, "vocab_size": 8,
  ]

  private func error(
    _ config: JSONValue = config, _ change: (inout [SourceTensor]) throws -> Void = { _ in }
  ) throws -> ArchitectureError? {
    var tensors = try Self.tensors()
    try change(&tensors)
    let architecture = try #require(ArchitectureRegistry.find(config: config))
    do throws(ArchitectureError) {
      _ = try architecture.map(config: config, tensors: tensors, type: .bf16)
      return nil
    } catch {
      return error
    }
  }

  private func changed(_ key: String, _ value: JSONValue?) throws -> JSONValue {
    var object = try #require(Self.config.object)
    object[key] = value
    return .object(object)
  }

  @Test func goodOne() throws { #expect(try error() == nil) }

  @Test func unknownTensor() throws {
    let name = "model.layers.0.self_attn.z_proj.weight"
    #expect(try error { $0[3].name = name } == .unknownTensor(name))
    #expect(
      try error { $0.append(SourceTensor(name: "model.layers.2.input_layernorm.weight", shape: .scalar, dtype: .bf16)) }
        == .unknownTensor("model.layers.2.input_layernorm.weight"))
  }

  @Test func missingExpert() throws {
    let name = "model.layers.1.block_sparse_moe.experts.1.w2.weight"
    #expect(try error { $0.removeAll { $0.name == name } } == .missingTensor(name))
  }

  @Test func missingEnds() throws {
    for name in ["model.embed_tokens.weight", "model.norm.weight"] {
      #expect(try error { $0.removeAll { $0.name == name } } == .missingTensor(name))
    }
  }

  @Test func missingLayer() throws {
    #expect(
      try error(changed("num_hidden_layers", 3)) == .missingTensor("model.layers.2.input_layernorm.weight"))
  }

  @Test func duplicate() throws {
    #expect(try error { $0.append($0[0]) } == .duplicateTensor("lm_head.weight"))
  }

  @Test func expertCountAgainstConfig() throws {
    let extra = try error(changed("num_local_experts", 1))
    #expect(extra?.misshapen == "model.layers.0.block_sparse_moe.experts.1.w1.weight")
    let router = try error(changed("num_local_experts", 3))
    #expect(router?.misshapen == "model.layers.0.block_sparse_moe.gate.weight")
    #expect(try error(changed("num_local_experts", 0)) != nil)
    let unsaid = try error(changed("num_local_experts", nil))
    #expect(unsaid == .missingParameter("num_local_experts' or 'num_experts' or 'n_routed_experts"))
  }

  @Test func unequalExperts() throws {
    let name = "model.layers.0.block_sparse_moe.experts.1.w1.weight"
    let other = try #require(Shape([5, 4]))
    let unequal = try error { tensors in
      for index in tensors.indices where tensors[index].name == name { tensors[index].shape = other }
    }
    #expect(unequal?.misshapen == name)
  }

  @Test func headsThatDoNotDivide() throws {
    let uneven = try error(changed("num_attention_heads", 3))
    #expect(uneven?.misshapen == "model.layers.0.self_attn.q_proj.weight")
    #expect(try error(changed("num_attention_heads", 0)) == .parameter("num_attention_heads", "is zero"))
  }

  @Test func packedElements() throws {
    #expect(
      try error { $0[1].dtype = .u8 } == .type(tensor: "model.embed_tokens.weight", found: .u8))
  }

  @Test func badParameters() throws {
    for value: JSONValue in ["two", -1, 4_294_967_296] {
      #expect(
        try error(changed("num_hidden_layers", value))
          == .parameter("num_hidden_layers", "is not a whole number below 2^32"))
    }
    #expect(try error(changed("num_hidden_layers", 5000)) == .parameter("num_hidden_layers", "is above 4096"))
  }

  @Test func unknownArchitecture() throws {
    #expect(try ArchitectureRegistry.find(config: changed("architectures", ["OtherForCausalLM"])) == nil)
    #expect(ArchitectureRegistry.find(config: [:]) == nil)
    #expect(ArchitectureRegistry.find(metadata: ["general.architecture": .string("other")]) == nil)
  }

  @Test func derivedTensorsAreDropped() throws {
    var tensors = try Self.tensors()
    tensors.append(
      SourceTensor(
        name: "model.layers.0.self_attn.rotary_emb.inv_freq", shape: try #require(Shape([1])), dtype: .f32))
    let architecture = try #require(ArchitectureRegistry.find(config: Self.config))
    let map = try architecture.map(config: Self.config, tensors: tensors, type: .f16)
    #expect(map.dropped.map(\.tensor) == [tensors.count - 1])
    #expect(map.tensors.first?.type == .f16)
  }
}

extension ArchitectureError {
  /// The tensor whose shape is wrong.
  var misshapen: String? {
    if case .shape(let tensor, _, _) = self { tensor } else { nil }
  }
}
