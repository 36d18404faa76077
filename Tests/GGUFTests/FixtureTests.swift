import ByteIO
import GGUF
import TestSupport
import Testing

/// Files that llama.cpp and gguf-py wrote: read, and planned again to the same bytes.
@Suite(.enabled(if: Fixtures.hasShared, "shared/ is not beside the checkout"))
struct FixtureTests {
  static let files: [String] = ["gguf", "architectures"].flatMap { folder in
    let names = (try? Path.entries(of: Fixtures.shared("fixtures/\(folder)"))) ?? []
    return names.filter { $0.hasSuffix(".gguf") }.map { "fixtures/\(folder)/\($0)" }
  }

  @Test func thereAreFixtures() { #expect(Self.files.count >= 10) }

  @Test(arguments: files) func plansTheSameBytes(file: String) throws {
    let path = Fixtures.shared(file)
    let gguf = try GGUFFile(path)
    #expect(gguf.header.version == 3)
    #expect(gguf.header.byteOrder == .little)

    let plan = try GGUFHeader.plan(metadata: gguf.metadata, tensors: gguf.tensors.map(\.info))
    let original = try Fixtures.bytes(path)
    #expect(plan.header == Array(original.prefix(gguf.header.dataStart)))
    #expect(plan.tensors == gguf.tensors)
    #expect(plan.fileSize == original.count)

    let gaps = zip(gguf.tensors, gguf.tensors.dropFirst().map(\.range.lowerBound) + [original.count])
    for (tensor, next) in gaps {
      #expect(original[tensor.range.upperBound..<next].allSatisfy { $0 == 0 })
    }
  }

  @Test func readsTheTinyModel() throws {
    let gguf = try GGUFFile(Fixtures.shared("fixtures/gguf/tiny-bf16.gguf"))
    #expect(gguf.metadata.text("general.architecture") == "llama")
    #expect(gguf.metadata.integer("llama.expert_count") == 4)
    #expect(gguf.metadata.strings("tokenizer.ggml.tokens")?.count == 1024)
    #expect(gguf.metadata.floats("tokenizer.ggml.scores")?.count == 1024)
    #expect(gguf.metadata.integers("tokenizer.ggml.token_type")?.count == 1024)
    #expect(gguf.metadata.bool("tokenizer.ggml.add_bos_token") != nil)
    #expect(gguf.tensors.count == 23)
    let experts = try #require(gguf.header.tensor(named: "blk.1.ffn_gate_exps.weight"))
    #expect(experts.shape.rank == 3)
    #expect(experts.shape.dimensions[0] == 4)
    #expect(experts.type == .bf16)
  }

  @Test func readsEveryType() throws {
    let gguf = try GGUFFile(Fixtures.shared("fixtures/gguf/all_types.gguf"))
    #expect(gguf.tensors.count == 24)
    #expect(Set(gguf.tensors.map(\.type)).count > 20)
  }
}
