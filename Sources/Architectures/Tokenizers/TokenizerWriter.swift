import GGUF
import JSON

/// Writes the `tokenizer.*` keys from a model's tokenizer files.
struct TokenizerWriter {
  let family: ArchitectureFamily
  let files: TokenizerFiles
  let config: JSONValue
  let parameters: HyperParameters
  /// Name given by hand for the pre-tokenizer.
  let preTokenizer: String?

  func write(into metadata: inout GGUFMetadata) throws(ArchitectureError) {
    if family.name == "llama" || family.name == "granitemoe" {
      try write(kind(), prefixFlag: files.config?["add_prefix_space"]?.bool, into: &metadata)
      if try parameters.integer("vocab_size") == 49152 { metadata["tokenizer.ggml.add_bos_token"] = .bool(false) }
    } else {
      let kind = try kind()
      try write(kind, prefixFlag: nil, into: &metadata)
      if family.name.hasPrefix("gemma"), kind == .sentencePiece {
        metadata["tokenizer.ggml.add_space_prefix"] = .bool(false)
      }
    }
  }

  /// The first of the family's tokenizers whose files are there.
  func kind() throws(ArchitectureError) -> TokenizerKind {
    for kind in family.tokenizers {
      switch kind {
      case .sentencePiece: if files.model != nil { return kind }
      case .sentencePieceRenamed: if files.model != nil { return kind }
      case .byteFallbackBPE: if ByteFallbackVocabulary.isOne(files.json) { return kind }
      case .byteLevelBPE:
        let isOther =
          family.tokenizers.contains(.sentencePieceRenamed)
          && files.config?["tokenizer_class"]?.string != "GPT2Tokenizer" && files.model != nil
        if files.json != nil, !isOther { return kind }
      }
    }
    throw .missingFile(family.tokenizers == [.sentencePiece] ? "tokenizer.model" : "tokenizer.json or tokenizer.model")
  }

  private func write(
    _ kind: TokenizerKind, prefixFlag: Bool?, into metadata: inout GGUFMetadata
  ) throws(ArchitectureError) {
    if let prefixFlag { metadata["tokenizer.ggml.add_space_prefix"] = .bool(prefixFlag) }
    switch kind {
    case .sentencePiece, .sentencePieceRenamed:
      let vocabulary = try SentencePieceVocabulary(
        files, size: parameters.integer("vocab_size"), renamed: kind == .sentencePieceRenamed)
      try write("llama", "default", vocabulary.tokens, hasScores: true, into: &metadata)
    case .byteFallbackBPE:
      let tokens = try ByteFallbackVocabulary.tokens(files)
      try write("llama", "default", tokens, hasScores: true, into: &metadata)
    case .byteLevelBPE: try writeByteLevel(into: &metadata)
    }
  }

  private func write(
    _ model: String, _ pre: String, _ tokens: [VocabularyToken], hasScores: Bool, into metadata: inout GGUFMetadata
  ) throws(ArchitectureError) {
    writeTokens(model, pre, tokens, hasScores: hasScores, into: &metadata)
    try SpecialTokens(files, config: config, vocabulary: tokens.count).write(into: &metadata)
  }

  private func writeByteLevel(into metadata: inout GGUFMetadata) throws(ArchitectureError) {
    guard let json = files.json else { throw .missingFile("tokenizer.json") }
    let tokens = try ByteLevelVocabulary.tokens(files, size: parameters.integer("vocab_size"))
    let recognized = PreTokenizer.name(json).map { family.preTokenizers[$0] ?? $0 }
    guard let pre = preTokenizer ?? recognized else { throw .unknownPreTokenizer }
    writeTokens("gpt2", pre, tokens, hasScores: false, into: &metadata)
    var special = try SpecialTokens(files, config: config, withMerges: true)
    if family.name == "glm4moe" {
      for (role, text) in [
        ("bos", "[gMASK]"), ("eot", "<|user|>"), ("unk", "<|endoftext|>"), ("eom", "<|observation|>"),
      ] {
        guard let identifier = ByteLevelVocabulary.addedIdentifier(of: text, files) else {
          throw .tokenizer("tokenizer.json has no added token '\(text)'")
        }
        try special.set(role, identifier)
      }
    }
    special.write(into: &metadata)
  }

  private func writeTokens(
    _ model: String, _ pre: String, _ tokens: [VocabularyToken], hasScores: Bool, into metadata: inout GGUFMetadata
  ) {
    var texts = GGUFStrings()
    for token in tokens { texts.append(utf8: token.text) }
    metadata["tokenizer.ggml.model"] = .string(model)
    metadata["tokenizer.ggml.pre"] = .string(pre)
    metadata["tokenizer.ggml.tokens"] = .array(.string(texts))
    if hasScores { metadata["tokenizer.ggml.scores"] = .array(.float32(tokens.map(\.score))) }
    metadata["tokenizer.ggml.token_type"] = .array(.int32(tokens.map(\.type.rawValue)))
  }
}
