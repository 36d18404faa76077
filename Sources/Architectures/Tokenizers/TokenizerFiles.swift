import JSON

/// The tokenizer's files of a model directory, each nil if it isn't there.
public struct TokenizerFiles: Sendable {
  /// tokenizer.model: SentencePiece's protocol buffer.
  public var model: [UInt8]?
  /// tokenizer.json
  public var json: JSONValue?
  /// tokenizer_config.json
  public var config: JSONValue?
  /// added_tokens.json
  public var addedTokens: JSONValue?
  /// merges.txt
  public var merges: String?
  /// chat_template.jinja, or chat_template.json's template.
  public var chatTemplate: String?

  public init(
    model: [UInt8]? = nil, json: JSONValue? = nil, config: JSONValue? = nil, addedTokens: JSONValue? = nil,
    merges: String? = nil, chatTemplate: String? = nil
  ) {
    self.model = model
    self.json = json
    self.config = config
    self.addedTokens = addedTokens
    self.merges = merges
    self.chatTemplate = chatTemplate
  }

  init(directory: String) throws {
    model = try HuggingFaceModel.bytes("tokenizer.model", in: directory)
    json = try HuggingFaceModel.json("tokenizer.json", in: directory)
    config = try HuggingFaceModel.json("tokenizer_config.json", in: directory)
    addedTokens = try HuggingFaceModel.json("added_tokens.json", in: directory)
    merges = try HuggingFaceModel.bytes("merges.txt", in: directory).map { String(decoding: $0, as: UTF8.self) }
    chatTemplate = try HuggingFaceModel.bytes("chat_template.jinja", in: directory).map {
      String(decoding: $0, as: UTF8.self)
    }
    if chatTemplate == nil {
      chatTemplate = try HuggingFaceModel.json("chat_template.json", in: directory)?["chat_template"]?.string
    }
  }

  /// Number of tokens: the model's for SentencePiece, which is padded to it, else the BPE's with those added.
  func vocabularySize(config: JSONValue) -> Int? {
    if model != nil { return config["vocab_size"]?.int ?? config["text_config"]?["vocab_size"]?.int }
    guard let vocabulary = json?["model"]?["vocab"]?.object else { return nil }
    return vocabulary.members.count + (json?["added_tokens"]?.array?.count ?? 0)
  }
}
