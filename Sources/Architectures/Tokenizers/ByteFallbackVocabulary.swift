import JSON

/// The vocabulary of a tokenizer.json that describes a SentencePiece BPE: byte fallback, and a sequence of decoders.
enum ByteFallbackVocabulary {
  static func isOne(_ json: JSONValue?) -> Bool {
    json?["model"]?["type"]?.string == "BPE" && json?["model"]?["byte_fallback"]?.bool == true
      && json?["decoder"]?["type"]?.string == "Sequence"
  }

  /// The BPE's tokens by identifier, then those added behind them. All have the score -1000.
  static func tokens(_ files: TokenizerFiles) throws(ArchitectureError) -> [VocabularyToken] {
    guard let members = files.json?["model"]?["vocab"]?.object?.members else {
      throw .tokenizer("tokenizer.json has no BPE vocabulary")
    }
    let added = ByteLevelVocabulary.added(files)
    // Only a role makes a control token here.
    let roles = Set(ByteLevelVocabulary.roleTexts(files.config).map { Array($0.utf8) })
    var tokens = [VocabularyToken?](repeating: nil, count: members.count)
    for member in members {
      guard let identifier = member.value.int, tokens.indices.contains(identifier), tokens[identifier] == nil else {
        throw .tokenizer("token '\(member.key)' has no identifier of its own below \(members.count)")
      }
      let type: TokenType = isByte(member.key) ? .byte : roles.contains(Array(member.key.utf8)) ? .control : .normal
      tokens[identifier] = VocabularyToken(text: Array(member.key.utf8), score: -1000, type: type)
    }
    let further = added.filter { $0.identifier >= members.count }.sorted { $0.identifier < $1.identifier }
    return tokens.compactMap(\.self)
      + further.map {
        VocabularyToken(
          text: Array($0.text.utf8), score: -1000, type: roles.contains(Array($0.text.utf8)) ? .control : .userDefined)
      }
  }

  /// `<0x00>` to `<0xFF>`.
  private static func isByte(_ text: String) -> Bool {
    let bytes = Array(text.utf8)
    return bytes.count == 6 && text.hasPrefix("<0x") && text.hasSuffix(">")
      && bytes[3...4].allSatisfy { UnicodeScalar($0).properties.isASCIIHexDigit }
  }
}
