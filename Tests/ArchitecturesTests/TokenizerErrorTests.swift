import JSON
import Testing

@testable import Architectures

struct TokenizerErrorTests {
  private func model(_ bytes: [UInt8]) -> ArchitectureError? {
    do throws(ArchitectureError) {
      _ = try SentencePieceModel(parsing: bytes)
      return nil
    } catch {
      return error
    }
  }

  /// One piece "a" with score -1.5 of type byte, and a normalizer without a dummy prefix.
  static let good: [UInt8] = [
    0x0A, 0x0A, 0x0A, 0x01, 0x61, 0x15, 0x00, 0x00, 0xC0, 0xBF, 0x18, 0x06, 0x1A, 0x02, 0x18, 0x00,
  ]

  @Test func workedExample() throws {
    let model = try SentencePieceModel(parsing: Self.good)
    #expect(model.pieces == [VocabularyToken(text: [0x61], score: -1.5, type: .byte)])
    #expect(!model.addsDummyPrefix && model.removesExtraWhitespace)
    let again = try SentencePieceModel(parsing: model.encoded())
    #expect(again.pieces == model.pieces && !again.addsDummyPrefix)
  }

  /// No prefix but one that ends between fields is a model, and none traps.
  @Test func everyPrefix() {
    for length in 0..<Self.good.count {
      let isWhole = length == 12
      #expect((model(Array(Self.good.prefix(length))) == nil) == isWhole, "\(length)")
    }
  }

  @Test func damage() {
    #expect(model([0x0A, 0x02, 0x18, 0x07]) == .tokenizer("tokenizer.model has a piece of type 7"))
    let obsolete = "tokenizer.model has a field of type 3, which protocol buffers no longer use"
    #expect(model([0x0B]) == .tokenizer(obsolete))
    #expect(model([0x00]) == .tokenizer("tokenizer.model has a field 0"))
    let long = [0x08] + [UInt8](repeating: 0xFF, count: 11)
    #expect(model(long) == .tokenizer("tokenizer.model has a number of more than 10 bytes"))
    let truncated = ArchitectureError.tokenizer("tokenizer.model ends within a field")
    #expect(model([0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01]) == truncated)
    #expect(model([0x0D, 0x00]) == truncated)
  }

  @Test func unknownPreTokenizer() {
    #expect(PreTokenizer.name(["pre_tokenizer": ["type": "Whitespace"]]) == nil)
    #expect(PreTokenizer.name([:]) == nil)
    #expect(PreTokenizer.name(["pre_tokenizer": ["type": "Split", "pattern": ["Regex": "x"]]]) == nil)
  }

  @Test(arguments: [
    "llama-bpe", "qwen2", "gpt-4o", "tekken", "deepseek-llm", "deepseek-v3", "deepseek-coder", "gpt-2", "starcoder",
  ]) func describedPreTokenizers(_ name: String) throws {
    let description = try #require(PreTokenizer.description(name))
    #expect(PreTokenizer.name(["pre_tokenizer": description]) == name)
  }

  @Test func merges() throws {
    #expect(try BPEMerges.texts(["a b", "c d"]) == ["a b", "c d"])
    #expect(try BPEMerges.texts([[" ", "b"]]) == ["\u{120} b"])
    #expect(BPEMerges.lines(of: "#version: 0.2\na b\n\nc\nd e\n") == ["a b", "d e"])
    #expect(throws: ArchitectureError.self) { try BPEMerges.texts([["a"]]) }
  }
}
