import ByteIO
import GGUF
import JSON
import TestSupport
import Testing

@testable import Architectures

/// Small tokenizers against what llama.cpp's converter writes of them (Scripts/make-tokenizer-goldens.py).
struct TokenizerGoldenTests {
  static let folder = Fixtures.root + "/Tests/ArchitecturesTests/TokenizerGoldens"

  static func names() -> [String] { ((try? Path.entries(of: folder)) ?? []).filter { $0.hasSuffix(".json") } }

  struct Golden {
    let config: JSONValue
    let files: TokenizerFiles
    let keyValues: [(key: String, type: String, value: JSONValue)]

    init(_ name: String) throws {
      let json = try JSONValue(parsing: Fixtures.bytes("\(TokenizerGoldenTests.folder)/\(name)"))
      let stored = try #require(json["files"])
      config = try #require(stored["config.json"])
      files = TokenizerFiles(
        model: stored["tokenizer.model"]?.string.map(Golden.bytes), json: stored["tokenizer.json"],
        config: stored["tokenizer_config.json"], addedTokens: stored["added_tokens.json"],
        chatTemplate: stored["chat_template.jinja"]?.string)
      keyValues = try (json["keyValues"]?.array ?? []).map {
        (try #require($0[0]?.string), try #require($0[1]?.string), try #require($0[2]))
      }
    }

    static func bytes(_ hexadecimal: String) -> [UInt8] {
      let digits = hexadecimal.compactMap(\.hexDigitValue)
      return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }
  }

  private func keys(_ golden: Golden) throws -> GGUFMetadata {
    let architecture = try #require(ArchitectureRegistry.find(config: golden.config))
    var metadata = GGUFMetadata()
    try TokenizerWriter(
      family: architecture.family, files: golden.files, config: golden.config,
      parameters: HyperParameters(golden.config, defaults: architecture.family.defaults), preTokenizer: nil
    ).write(into: &metadata)
    return metadata
  }

  @Test(arguments: names()) func keyValues(_ name: String) throws {
    let golden = try Golden(name)
    let metadata = try keys(golden)
    #expect(metadata.entries.map(\.key) == golden.keyValues.map(\.key))
    for (key, type, value) in golden.keyValues {
      guard let found = metadata[key] else { continue }
      if type == "ARRAY" { expectEqual(found, value, key) } else { #expect(text(found) == text(value), "\(key)") }
    }
  }

  private func expectEqual(_ found: GGUFValue, _ value: JSONValue, _ key: String) {
    let expected = value.array ?? []
    switch found.array {
    case .string(let strings)?:
      #expect(strings.map { String(decoding: $0, as: UTF8.self) } == expected.compactMap(\.string), "\(key)")
    case .float32(let floats)?: #expect(floats == expected.compactMap { $0.double.map(Float.init) }, "\(key)")
    case .int32(let integers)?: #expect(integers.map(Int.init) == expected.compactMap(\.int), "\(key)")
    default: Issue.record("\(key) is \(found)")
    }
  }

  private func text(_ value: GGUFValue) -> String? {
    value.text ?? value.integer.map(String.init) ?? value.bool.map { "\($0)" }
  }

  private func text(_ value: JSONValue) -> String? {
    value.string ?? value.int.map(String.init) ?? value.bool.map { "\($0)" }
  }

  /// The files made from the key-values give the same tokens, scores, types and merges.
  @Test(arguments: names()) func comeBack(_ name: String) throws {
    let golden = try Golden(name)
    let metadata = try keys(golden)
    let temporary = try TemporaryDirectory()
    for file in try TokenizerReader(metadata: metadata).files() { try temporary.write(file.bytes, to: file.name) }
    let architecture = try #require(ArchitectureRegistry.find(config: golden.config))
    var again = GGUFMetadata()
    try TokenizerWriter(
      family: architecture.family, files: TokenizerFiles(directory: temporary.path), config: golden.config,
      parameters: HyperParameters(golden.config, defaults: architecture.family.defaults), preTokenizer: nil
    ).write(into: &again)
    for key in ["model", "pre", "tokens", "scores", "token_type", "merges"].map({ "tokenizer.ggml.\($0)" }) {
      #expect(again[key] == metadata[key], "\(key)")
    }
    #expect(again["tokenizer.chat_template"] == metadata["tokenizer.chat_template"])
  }
}
