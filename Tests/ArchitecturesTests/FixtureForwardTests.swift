import Architectures
import GGUF
import TestSupport
import Testing

/// Models that llama.cpp's converter turned into the GGUF beside them.
@Suite(.enabled(if: Fixtures.hasShared, "shared/ is not beside the checkout"))
struct FixtureForwardTests {
  static let pairs = [
    ("models/tiny", "fixtures/gguf/tiny-bf16.gguf"),
    ("fixtures/architectures/llama", "fixtures/architectures/llama.gguf"),
    ("fixtures/architectures/qwen2moe", "fixtures/architectures/qwen2moe.gguf"),
    ("fixtures/architectures/gptoss", "fixtures/architectures/gptoss.gguf"),
    ("fixtures/architectures/deepseek3", "fixtures/architectures/deepseek3.gguf"),
  ]

  @Test(arguments: pairs) func keyValues(_ directory: String, _ path: String) throws {
    let converted = try ConvertedModel(Fixtures.shared(directory))
    let expected = try GGUFFile(Fixtures.shared(path)).metadata
    #expect(converted.metadata.entries.map(\.key) == expected.entries.map(\.key))
    for entry in expected.entries {
      #expect(converted.metadata[entry.key] == entry.value, "\(entry.key)")
    }
  }

  @Test(arguments: pairs) func tensors(_ directory: String, _ path: String) throws {
    let converted = try ConvertedModel(Fixtures.shared(directory))
    let expected = try GGUFFile(Fixtures.shared(path))
    #expect(converted.map.tensors.map(\.name) == expected.tensors.map(\.name))
    #expect(converted.map.tensors.map(\.type) == expected.tensors.map(\.type))
    #expect(converted.map.tensors.map(\.shape) == expected.tensors.map(\.shape))
    #expect(converted.map.dropped.isEmpty)
    for (mapped, stored) in zip(converted.map.tensors, expected.tensors) {
      #expect(try converted.bytes(of: mapped) == expected.input.bytes(stored.range), "\(stored.name)")
    }
  }
}
