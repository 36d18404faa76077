import JSON

/// The vocabulary of a SentencePiece tokenizer with what the other files add to it or rename in it.
struct SentencePieceVocabulary {
  private(set) var tokens: [VocabularyToken]

  /// - Parameters:
  ///   - size: tokens of the model, padded or cut to; those of the tokenizer if nil.
  ///   - renamed: whether tokenizer.json's added tokens count too, and none is a control token by its looks.
  init(_ files: TokenizerFiles, size: Int?, renamed: Bool) throws(ArchitectureError) {
    guard let bytes = files.model else { throw .missingFile("tokenizer.model") }
    let pieces = try SentencePieceModel(parsing: bytes).pieces
    let size = size.flatMap { $0 == 0 ? nil : $0 } ?? pieces.count
    guard size <= pieces.count + SentencePieceModel.mostPadding else {
      throw .parameter("vocab_size", "is \(size), and tokenizer.model has \(pieces.count) pieces")
    }
    tokens = pieces.prefix(size).map { piece in
      var token = piece
      // The converter doesn't ask for this type.
      if token.type == .userDefined { token.type = .normal }
      return token
    }
    for identifier in tokens.count..<size { tokens.append(.padding(identifier)) }
    for member in files.addedTokens?.object?.members ?? [] {
      try replace(member.value.int, member.key, .userDefined)
    }
    for member in files.config?["added_tokens_decoder"]?.object?.members ?? [] {
      try add(Int(member.key), member.value, byLooks: !renamed)
    }
    if renamed {
      for entry in files.json?["added_tokens"]?.array ?? [] { try add(entry["id"]?.int, entry, byLooks: false) }
    }
  }

  private mutating func add(_ identifier: Int?, _ entry: JSONValue, byLooks: Bool) throws(ArchitectureError) {
    guard let text = entry["content"]?.string else { throw .tokenizer("an added token has no content") }
    if entry["special"]?.bool == true || (byLooks && VocabularyToken.looksSpecial(text)) {
      try replace(identifier, text, .control)
    } else {
      try replace(identifier, byLooks ? VocabularyToken.withSpaces(text) : text, .userDefined)
    }
  }

  /// Tokens past the model's vocabulary are left out.
  private mutating func replace(_ identifier: Int?, _ text: String, _ type: TokenType) throws(ArchitectureError) {
    guard let identifier, identifier >= 0 else { throw .tokenizer("added token '\(text)' has no identifier") }
    guard identifier < tokens.count else { return }
    tokens[identifier] = VocabularyToken(text: Array(text.utf8), score: -1000, type: type)
  }
}
