import ByteIO
import Checkpoints
import Codecs
import JSON
import TestSupport
import Testing

@testable import Conversion

/// The types of a mix, against those that llama-quantize prints (Goldens/make_mixes.py).
@Suite struct MixTests {
  private struct Golden: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var model: ModelFile
    /// The types by mix; nil where llama-quantize refuses.
    var types: [(mix: String, types: [GGMLType]?)]
  }

  private static let goldens: [Golden] = {
    let path = Fixtures.root + "/Tests/ConversionTests/Goldens/mixes.json"
    guard let bytes = try? Fixtures.bytes(path), let file = try? JSONValue(parsing: bytes),
      let letters = file["letters"]
    else { return [] }
    return (file["models"]?.array ?? []).map { golden($0, letters) }
  }()

  private static func golden(_ json: JSONValue, _ letters: JSONValue) -> Golden {
    let keys = [
      "block_count": json["layers"]?.int, "attention.head_count": json["heads"]?.int,
      "attention.head_count_kv": json["groups"]?.int, "expert_count": json["experts"]?.int,
    ]
    var model = ModelFile(architecture: json["architecture"]?.string ?? "", keys: keys.compactMapValues { $0 })
    for tensor in json["tensors"]?.array ?? [] {
      let name = tensor[0]?.string ?? ""
      let isF32 = name.contains("norm") || name.contains("inp")
      model.add(name, (tensor[1]?.array ?? []).compactMap(\.int), isF32 ? .f32 : .f16)
    }
    let types = (json["types"]?.object?.members ?? []).map { member in
      let text = member.value.string ?? ""
      let types = text.compactMap { letters[String($0)]?.string }.compactMap { GGMLType(name: $0) }
      return (member.key, text.isEmpty ? nil : types)
    }
    return Golden(testDescription: json["name"]?.string ?? "", model: model, types: types)
  }

  @Test(arguments: goldens) private func everyMixIsThatOfLlamaQuantize(_ golden: Golden) throws {
    let directory = try TemporaryDirectory()
    let checkpoint = try Checkpoints.open(golden.model.write(directory.file("a.gguf")))
    for (name, expected) in golden.types {
      var request = ConvertRequest(format: .gguf, isSingleFile: true)
      request.quantization = try GGUFQuantization(parsing: name)
      // Q2_K in a Q2_K_S model is refused without an importance matrix, but for embeddings and the head.
      let tables = ["token_embd.weight", "output.weight"]
      let needsMatrix =
        name == "Q2_K_S"
        && zip(golden.model.tensors, expected ?? []).contains { $1 == .q2_K && !tables.contains($0.name) }
      guard !needsMatrix, let expected else {
        #expect(throws: PlanError.self, "\(name)") { try ConvertPlan(checkpoint, request: request) }
        continue
      }
      let plan = try ConvertPlan(checkpoint, request: request)
      let found = Dictionary(uniqueKeysWithValues: plan.outputs.map { ($0.name, GGMLForm.type(of: $0.codec)) })
      for (tensor, type) in zip(golden.model.tensors, expected) {
        #expect(found[tensor.name] == type, "\(name), \(tensor.name)")
      }
    }
  }

  @Test func thereAreGoldens() {
    #expect(Self.goldens.count >= 8)
    #expect(Self.goldens.allSatisfy { $0.types.count == 25 })
  }

  @Test func namesAreThoseOfLlamaQuantizeInAnyCase() throws {
    #expect(GGUFFileType(name: "q4_k") == .q4_K_M && GGUFFileType(name: "Q5_k_s") == .q5_K_S)
    #expect(GGUFFileType(name: "q3_K") == .q3_K_M && GGUFFileType(name: "mxfp4") == .mxfp4_moe)
    for type in GGUFFileType.allCases {
      #expect(GGUFFileType(name: type.name.lowercased()) == type)
      #expect(type.base.isQuantizable || type.base.plainDType != nil)
    }
    for name in ["IQ2_XXS", "IQ1_S", "Q8_K", "int4", ""] {
      let error = #expect(throws: CodecError.self) { try GGUFQuantization(parsing: name) }
      #expect("\(error.map { "\($0)" } ?? "")".contains("Q4_K_M"))
      #expect(throws: CodecError.self) { try GGUFQuantization.Override(parsing: "attn=\(name)") }
    }
  }

  private func types(_ change: (inout GGUFQuantization) throws -> Void) throws -> [String: GGMLType?] {
    let directory = try TemporaryDirectory()
    var model = ModelFile(architecture: "llama", keys: ["block_count": 1])
    for name in ["token_embd", "output", "per_layer_token_embd", "blk.0.attn_q", "blk.0.ffn_norm", "blk.0.ffn_down"] {
      model.add(name + ".weight", [4, 256])
    }
    let checkpoint = try Checkpoints.open(model.write(directory.file("a.gguf")))
    var quantization = GGUFQuantization(.q4_0)
    try change(&quantization)
    var request = ConvertRequest(format: .gguf, isSingleFile: true)
    request.quantization = quantization
    let plan = try ConvertPlan(checkpoint, request: request)
    return Dictionary(uniqueKeysWithValues: plan.outputs.map { ($0.name, GGMLForm.type(of: $0.codec)) })
  }

  @Test func optionsGoBeforeTheMix() throws {
    let plain = try types { _ in }
    #expect(plain["output.weight"] == .q6_K && plain["token_embd.weight"] == .q4_0)
    #expect(plain["blk.0.ffn_norm.weight"] == .bf16)
    let pure = try types { $0.isPure = true }
    #expect(pure["output.weight"] == .q4_0)
    let named = try types {
      ($0.outputType, $0.embeddingType) = (.q5_1, .f16)
      $0.overrides = try ["OUTPUT=q8_0", "per_layer=q5_0", "attn_[QV]=q3_k", "attn=q2_k", "norm=q8_0"]
        .map { try .init(parsing: $0) }
    }
    #expect(named["output.weight"] == .q5_1 && named["token_embd.weight"] == .f16)
    #expect(named["per_layer_token_embd.weight"] == .q5_0 && named["blk.0.attn_q.weight"] == .q3_K)
    #expect(named["blk.0.ffn_norm.weight"] == .bf16 && named["blk.0.ffn_down.weight"] == .q4_0)
    let tied = try types { $0.overrides = [try .init(parsing: "^output.weight$=q8_0")] }
    #expect(tied["output.weight"] == .q8_0)
  }

  @Test func malformedOverridesAreRefused() throws {
    for text in ["attn", "=q4_0", "attn=", "attn=nothing", "(=q4_0"] {
      #expect(throws: CodecError.self, "\(text)") { try GGUFQuantization.Override(parsing: text) }
    }
    #expect(throws: PlanError.self) {
      try types {
        $0.fileType = .f16
        $0.overrides = [try .init(parsing: "attn=q4_0")]
      }
    }
  }

  @Test func anOptionsTypeMustFitTheRows() throws {
    let directory = try TemporaryDirectory()
    var model = ModelFile(architecture: "llama", keys: ["block_count": 1])
    model.add("token_embd.weight", [4, 40])
    let checkpoint = try Checkpoints.open(model.write(directory.file("a.gguf")))
    var request = ConvertRequest(format: .gguf, isSingleFile: true)
    request.quantization = GGUFQuantization(.q4_0)
    request.quantization?.embeddingType = .q4_K
    let error = #expect(throws: PlanError.self) { try ConvertPlan(checkpoint, request: request) }
    #expect(error?.tensor == "token_embd.weight")
  }
}
