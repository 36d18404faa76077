import JSON

/// The vocabulary of a byte-level BPE in tokenizer.json.
enum ByteLevelVocabulary {
  /// Tokens by identifier, padded to `size`. Throws if a token lies past it or two tokens share an identifier.
  static func tokens(_ files: TokenizerFiles, size: Int?) throws(ArchitectureError) -> [VocabularyToken] {
    guard let json = files.json, let members = json["model"]?["vocab"]?.object?.members else {
      throw .tokenizer("tokenizer.json has no BPE vocabulary")
    }
    let added = added(files)
    let most = members.count + added.count + SentencePieceModel.mostPadding
    var tokens: [VocabularyToken?] = []
    func place(_ token: VocabularyToken, at identifier: Int) throws(ArchitectureError) {
      guard identifier >= 0, identifier < most else { throw .tokenizer("a token's identifier is \(identifier)") }
      while tokens.count <= identifier { tokens.append(nil) }
      tokens[identifier] = token
    }
    for member in members {
      guard let identifier = member.value.int else { throw .tokenizer("token '\(member.key)' has no identifier") }
      if tokens.indices.contains(identifier), tokens[identifier] != nil {
        throw .tokenizer("two tokens have the identifier \(identifier)")
      }
      try place(VocabularyToken(text: Array(member.key.utf8), score: 0, type: .normal), at: identifier)
    }
    for token in added { try place(vocabularyToken(token), at: token.identifier) }
    let size = size ?? tokens.count
    guard tokens.count <= size, size <= most else {
      throw .tokenizer("has tokens up to \(tokens.count - 1), and the model \(size)")
    }
    return (0..<size).map { ($0 < tokens.count ? tokens[$0] : nil) ?? .padding($0) }
  }

  struct AddedToken {
    var text: String
    var identifier: Int
    var isSpecial: Bool
  }

  /// The tokens that are added to the BPE's: tokenizer.json's, then those that only tokenizer_config.json has, then
  /// those of the vocabulary that a role makes special.
  static func added(_ files: TokenizerFiles) -> [AddedToken] {
    var tokens: [AddedToken] = []
    var positions: [Int: Int] = [:]
    for entry in files.json?["added_tokens"]?.array ?? [] { append(entry, entry["id"]?.int, to: &tokens, &positions) }
    for member in files.config?["added_tokens_decoder"]?.object?.members ?? [] {
      append(member.value, Int(member.key), to: &tokens, &positions)
    }
    var texts = Dictionary(tokens.enumerated().map { (ExactString($1.text), $0) }) { first, _ in first }
    let vocabulary = files.json?["model"]?["vocab"]?.object
    for text in roleTexts(files.config) {
      if let position = texts[ExactString(text)] {
        tokens[position].isSpecial = true
      } else if let identifier = vocabulary?[text]?.int {
        texts[ExactString(text)] = tokens.count
        tokens.append(AddedToken(text: text, identifier: identifier, isSpecial: true))
      }
    }
    return tokens
  }

  static func addedIdentifier(of text: String, _ files: TokenizerFiles) -> Int? {
    added(files).first { $0.text == text }?.identifier
  }

  /// Texts that tokenizer_config.json gives a role.
  static func roleTexts(_ config: JSONValue?) -> [String] {
    let keys = ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"]
    let single = keys.compactMap { config?[$0]?.string ?? config?[$0]?["content"]?.string }
    let further = config?["additional_special_tokens"]?.array ?? config?["extra_special_tokens"]?.array ?? []
    return single + further.compactMap { $0.string ?? $0["content"]?.string }
  }

  /// Adds a token, or replaces that of its identifier.
  private static func append(
    _ entry: JSONValue, _ identifier: Int?, to tokens: inout [AddedToken], _ positions: inout [Int: Int]
  ) {
    guard let text = entry["content"]?.string, let identifier else { return }
    let token = AddedToken(text: text, identifier: identifier, isSpecial: entry["special"]?.bool == true)
    if let position = positions[identifier] {
      tokens[position] = token
    } else {
      positions[identifier] = tokens.count
      tokens.append(token)
    }
  }

  private static func vocabularyToken(_ token: AddedToken) -> VocabularyToken {
    let isControl = token.isSpecial || VocabularyToken.looksSpecial(token.text)
    let text = isControl ? token.text : VocabularyToken.withSpaces(token.text)
    return VocabularyToken(text: Array(text.utf8), score: 0, type: isControl ? .control : .userDefined)
  }
}
