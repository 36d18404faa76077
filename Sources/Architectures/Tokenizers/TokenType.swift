/// What a token is: the numbers of `tokenizer.ggml.token_type`, which are SentencePiece's.
enum TokenType: Int32 {
  case normal = 1
  case unknown = 2
  case control = 3
  case userDefined = 4
  case unused = 5
  case byte = 6
}

/// One entry of a vocabulary on its way into GGUF.
struct VocabularyToken: Equatable {
  var text: [UInt8]
  var score: Float
  var type: TokenType

  /// What fills an identifier that no token has.
  static func padding(_ identifier: Int) -> VocabularyToken {
    VocabularyToken(text: Array("[PAD\(identifier)]".utf8), score: -10000, type: .unused)
  }

  /// Whether a token added by hand is a control token by its looks, though it isn't marked as one.
  static func looksSpecial(_ text: String) -> Bool {
    ["<pad>", "<mask>", "<2mass>", "[@BOS@]"].contains(text)
      || (text.hasPrefix("<|") && text.hasSuffix("|>"))
      || (text.hasPrefix("<｜") && text.hasSuffix("｜>"))
      || (text.hasPrefix("<unused") && text.hasSuffix(">"))
  }

  /// An added token's text as llama.cpp matches it: with plain spaces.
  static func withSpaces(_ text: String) -> String {
    String(String.UnicodeScalarView(text.unicodeScalars.map { $0 == "\u{2581}" ? " " : $0 }))
  }
}
