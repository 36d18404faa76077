import GGUF
import JSON

/// Makes the tokenizer's files from a GGUF file's `tokenizer.*` keys.
struct TokenizerReader {
  let metadata: GGUFMetadata

  /// tokenizer.model or tokenizer.json, and tokenizer_config.json. Nothing if the file has no tokenizer.
  func files() throws(ArchitectureError) -> [(name: String, bytes: [UInt8])] {
    let style = JSONStyle(indent: 2, spaced: true)
    switch metadata.text("tokenizer.ggml.model") {
    case nil, "none"?: return []
    case "llama"?:
      let tokens = try tokens(hasScores: true)
      return [
        ("tokenizer.model", model(tokens).encoded()),
        ("tokenizer_config.json", config(tokens, "LlamaTokenizer", withAdded: true).encoded(style)),
      ] + addedByName(tokens).map { ("added_tokens.json", $0.encoded(style)) }
    case "gpt2"?:
      let tokens = try tokens(hasScores: false)
      return [
        ("tokenizer.json", try json(tokens).encoded(style)),
        ("tokenizer_config.json", config(tokens, "PreTrainedTokenizerFast", withAdded: false).encoded(style)),
      ]
    case let other?: throw .key("tokenizer.ggml.model", "is '\(other)', which has no Hugging Face form here")
    }
  }

  private func tokens(hasScores: Bool) throws(ArchitectureError) -> [VocabularyToken] {
    guard let texts = metadata.strings("tokenizer.ggml.tokens") else { throw .missingKey("tokenizer.ggml.tokens") }
    let types = metadata.integers("tokenizer.ggml.token_type")
    let scores = metadata.floats("tokenizer.ggml.scores")
    guard types == nil || types?.count == texts.count, scores == nil || scores?.count == texts.count else {
      throw .key("tokenizer.ggml.tokens", "has another number of entries than its types or scores")
    }
    var tokens: [VocabularyToken] = []
    tokens.reserveCapacity(texts.count)
    for index in 0..<texts.count {
      let raw = types?[index] ?? 1
      guard let narrow = Int32(exactly: raw), let type = TokenType(rawValue: narrow) else {
        throw .key("tokenizer.ggml.token_type", "has a type \(raw)")
      }
      tokens.append(
        VocabularyToken(text: Array(texts[index]), score: Float(scores?[index] ?? 0), type: type))
    }
    return tokens
  }

  /// What fills the vocabulary up to the model's size isn't part of the tokenizer.
  private func withoutPadding(_ tokens: [VocabularyToken]) -> ArraySlice<VocabularyToken> {
    var rest = tokens[...]
    while let last = rest.last, last.type == .unused, last.text == VocabularyToken.padding(rest.count - 1).text {
      rest = rest.dropLast()
    }
    return rest
  }

  private func model(_ tokens: [VocabularyToken]) -> SentencePieceModel {
    var model = SentencePieceModel()
    model.pieces = Array(withoutPadding(tokens))
    model.addsDummyPrefix = metadata.bool("tokenizer.ggml.add_space_prefix") ?? true
    return model
  }

  /// Tokens that were added to a tokenizer, rather than trained: the converter gives them this score.
  private static let addedScore: Float = -1000

  private func isAdded(_ token: VocabularyToken, hasScores: Bool) -> Bool {
    (token.type == .control || token.type == .userDefined) && (!hasScores || token.score == Self.addedScore)
  }

  private func added(_ token: VocabularyToken) -> [JSONObject.Member] {
    [
      .init("content", .string(String(decoding: token.text, as: UTF8.self))), .init("single_word", false),
      .init("lstrip", false), .init("rstrip", false), .init("normalized", false),
      .init("special", .bool(token.type == .control)),
    ]
  }

  private func config(_ tokens: [VocabularyToken], _ name: String, withAdded: Bool) -> JSONValue {
    var config = JSONObject([.init("tokenizer_class", .string(name))])
    if withAdded {
      var decoder = JSONObject()
      for (identifier, token) in tokens.enumerated()
      where isAdded(token, hasScores: true) && !isTakenForSpecial(token) {
        decoder.append(.init(String(identifier), .object(JSONObject(added(token)))))
      }
      if !decoder.members.isEmpty { config["added_tokens_decoder"] = .object(decoder) }
    }
    for (role, key) in [("bos", "bos"), ("eos", "eos"), ("unk", "unknown"), ("pad", "padding")] {
      guard let identifier = metadata.integer("tokenizer.ggml.\(key)_token_id"), tokens.indices.contains(identifier)
      else { continue }
      config["\(role)_token"] = .string(String(decoding: tokens[identifier].text, as: UTF8.self))
    }
    for role in ["bos", "eos"] {
      if let flag = metadata.bool("tokenizer.ggml.add_\(role)_token") { config["add_\(role)_token"] = .bool(flag) }
    }
    if let flag = metadata.bool("tokenizer.ggml.add_space_prefix") { config["add_prefix_space"] = .bool(flag) }
    writeTemplates(into: &config)
    return .object(config)
  }

  /// Whether a token that isn't special would be taken for one by its looks.
  private func isTakenForSpecial(_ token: VocabularyToken) -> Bool {
    token.type == .userDefined && VocabularyToken.looksSpecial(String(decoding: token.text, as: UTF8.self))
  }

  /// added_tokens.json, where nobody goes by the looks of a token; nothing if no token needs it.
  private func addedByName(_ tokens: [VocabularyToken]) -> [JSONValue] {
    var names = JSONObject()
    for (identifier, token) in tokens.enumerated()
    where isAdded(token, hasScores: true) && isTakenForSpecial(token) {
      names.append(.init(String(decoding: token.text, as: UTF8.self), .number(JSONNumber(identifier))))
    }
    return names.members.isEmpty ? [] : [.object(names)]
  }

  private func writeTemplates(into config: inout JSONObject) {
    let standard = metadata.text("tokenizer.chat_template")
    let names = (metadata.strings("tokenizer.chat_templates") ?? GGUFStrings()).compactMap {
      String(validating: $0, as: UTF8.self)
    }
    guard !names.isEmpty else {
      if let standard { config["chat_template"] = .string(standard) }
      return
    }
    let templates = [("default", standard)] + names.map { ($0, metadata.text("tokenizer.chat_template.\($0)")) }
    config["chat_template"] = .array(
      templates.compactMap { name, text in
        text.map { .object(JSONObject([.init("name", .string(name)), .init("template", .string($0))])) }
      })
  }

  // MARK: - tokenizer.json

  private func json(_ tokens: [VocabularyToken]) throws(ArchitectureError) -> JSONValue {
    guard let name = metadata.text("tokenizer.ggml.pre"), let steps = PreTokenizer.description(name) else {
      throw .key("tokenizer.ggml.pre", "is not one of the pre-tokenizers that Bale knows")
    }
    var json = JSONObject([.init("version", "1.0"), .init("truncation", .null), .init("padding", .null)])
    json["added_tokens"] = .array(
      tokens.enumerated().filter { isAdded($1, hasScores: false) }.map { identifier, token in
        .object(JSONObject([.init("id", .number(JSONNumber(identifier)))] + added(token)))
      })
    json["normalizer"] = name == "olmo" ? ["type": "NFC"] : .null
    json["pre_tokenizer"] = steps
    json["post_processor"] = .null
    json["decoder"] = PreTokenizer.byteLevel(usesPattern: true)
    json["model"] = .object(try bpe(tokens))
    return .object(json)
  }

  private func bpe(_ tokens: [VocabularyToken]) throws(ArchitectureError) -> JSONObject {
    var vocabulary = JSONObject()
    for (identifier, token) in tokens.enumerated() where token.type == .normal {
      guard let text = String(validating: token.text, as: UTF8.self) else {
        throw .key("tokenizer.ggml.tokens", "has a token \(identifier) that is not UTF-8")
      }
      vocabulary.append(.init(text, .number(JSONNumber(identifier))))
    }
    var merges: [JSONValue] = []
    for merge in metadata.strings("tokenizer.ggml.merges") ?? GGUFStrings() {
      let parts = String(decoding: merge, as: UTF8.self).split(separator: " ", omittingEmptySubsequences: false)
      guard parts.count == 2 else { throw .key("tokenizer.ggml.merges", "has a merge that is not of two parts") }
      merges.append(.array(parts.map { .string(String($0)) }))
    }
    return JSONObject([
      .init("type", "BPE"), .init("dropout", .null), .init("unk_token", .null),
      .init("continuing_subword_prefix", .null), .init("end_of_word_suffix", .null), .init("fuse_unk", false),
      .init("byte_fallback", false), .init("ignore_merges", .bool(metadata.text("tokenizer.ggml.pre") == "llama-bpe")),
      .init("vocab", .object(vocabulary)), .init("merges", .array(merges)),
    ])
  }
}
