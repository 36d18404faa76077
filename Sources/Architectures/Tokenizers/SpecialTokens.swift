import GGUF
import JSON

/// Special tokens, whether they are added to a text, merges and the chat template, gathered from tokenizer.json,
/// tokenizer_config.json and config.json by the rules of gguf-py's `SpecialVocab`.
struct SpecialTokens {
  /// Roles in the order in which they are looked for. What a template says may add "eot" and "eom".
  var roles = ["bos", "eos", "unk", "sep", "pad", "cls", "mask"]
  private(set) var identifiers: [(role: String, identifier: Int)] = []
  private(set) var added: [(role: String, isAdded: Bool)] = []
  private var merges: [String] = []
  private var lowercase: Bool?
  private var stripAccents: Bool?
  private let vocabulary: Int?
  private let files: TokenizerFiles
  /// tokenizer_config.json, with what the post-processor makes of it.
  var config: JSONObject?

  /// - Parameter vocabulary: tokens from that identifier on are left out, if it is given.
  init(_ files: TokenizerFiles, config modelConfig: JSONValue, vocabulary: Int? = nil, withMerges: Bool = false)
    throws(ArchitectureError)
  {
    self.files = files
    self.vocabulary = vocabulary
    config = files.config?.object
    if let json = files.json {
      if withMerges { merges = try BPEMerges.texts(json["model"]?["merges"]) }
      if let normalizer = json["normalizer"] { read(normalizer: normalizer) }
      readPostProcessor(json["post_processor"])
    }
    try readConfig()
    for role in roles {
      let identifier = modelConfig["\(role)_token_id"].flatMap { $0.isNull ? nil : $0 }
      try set(role, (identifier ?? modelConfig["text_config"]?["\(role)_token_id"])?.int)
    }
    if withMerges, merges.isEmpty, let text = files.merges { merges = BPEMerges.lines(of: text) }
  }

  /// Sets a role's token unless it is set.
  mutating func set(_ role: String, _ identifier: Int?) throws(ArchitectureError) {
    guard let identifier else { return }
    guard identifier >= 0, identifier <= Int(UInt32.max) else {
      throw .tokenizer("the \(role) token's identifier is \(identifier)")
    }
    if let vocabulary, identifier >= vocabulary { return }
    if !identifiers.contains(where: { $0.role == role }) { identifiers.append((role, identifier)) }
  }

  mutating func setAdded(_ role: String, _ isAdded: Bool, unlessSet: Bool = false) {
    if let position = added.firstIndex(where: { $0.role == role }) {
      if !unlessSet { added[position].isAdded = isAdded }
    } else {
      added.append((role, isAdded))
    }
  }

  private mutating func read(normalizer: JSONValue) {
    var pending = [normalizer]
    while let normalizer = pending.popLast() {
      switch normalizer["type"]?.string {
      case "Lowercase"?: lowercase = true
      case "StripAccents"?: stripAccents = true
      case "BertNormalizer"?:
        if let value = normalizer["lowercase"]?.bool { lowercase = value }
        if let value = normalizer["strip_accents"]?.bool { stripAccents = value }
      case "Sequence"?: pending += (normalizer["normalizers"]?.array ?? []).reversed()
      default: continue
      }
    }
  }

  private mutating func readConfig() throws(ArchitectureError) {
    guard let config else { return }
    let addedTokens = files.json?["added_tokens"]?.array ?? []
    for role in roles {
      if let isAdded = config["add_\(role)_token"]?.bool { setAdded(role, isAdded, unlessSet: true) }
      let entry = config["\(role)_token"]
      guard let text = entry?.string ?? entry?["content"]?.string else { continue }
      try set(role, addedTokens.first { $0["content"]?.string == text }?["id"]?.int)
    }
  }

  func write(into metadata: inout GGUFMetadata) {
    if !merges.isEmpty { metadata["tokenizer.ggml.merges"] = .array(.string(GGUFStrings(merges))) }
    let names = [
      "unk": "unknown", "pad": "padding", "sep": "seperator", "bos": "bos", "eos": "eos", "mask": "mask",
      "eot": "eot", "eom": "eom",
    ]
    for (role, identifier) in identifiers {
      if let name = names[role] {
        metadata["tokenizer.ggml.\(name)_token_id"] = .uint32(UInt32(truncatingIfNeeded: identifier))
      }
    }
    for (role, isAdded) in added where ["bos", "eos", "sep"].contains(role) {
      metadata["tokenizer.ggml.add_\(role)_token"] = .bool(isAdded)
    }
    if config != nil { writeChatTemplate(into: &metadata) }
    if let lowercase { metadata["tokenizer.ggml.normalizer.lowercase"] = .bool(lowercase) }
    if let stripAccents { metadata["tokenizer.ggml.normalizer.strip_accents"] = .bool(stripAccents) }
  }

  /// One template, or several with names: the one called "default" under the plain key.
  private func writeChatTemplate(into metadata: inout GGUFMetadata) {
    let key = "tokenizer.chat_template"
    let template = config?["chat_template"] ?? files.chatTemplate.map(JSONValue.string)
    if let text = template?.string {
      if !text.isEmpty { metadata[key] = .string(text) }
      return
    }
    var names: [String] = []
    for choice in template?.array ?? [] {
      guard let text = choice["template"]?.string, !text.isEmpty else { continue }
      let name = String(
        (choice["name"]?.string ?? "").map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" })
      if name.isEmpty || name == "default" { continue }
      if !names.contains(name) { names.append(name) }
      metadata["\(key).\(name)"] = .string(text)
    }
    if !names.isEmpty { metadata["tokenizer.chat_templates"] = .array(.string(GGUFStrings(names))) }
    let standard = template?.array?.last { $0["name"]?.string == "default" }
    if let text = standard?["template"]?.string, !text.isEmpty { metadata[key] = .string(text) }
  }
}
