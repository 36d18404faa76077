import GGUF
import JSON

/// Special tokens, whether they are added to a text, merges and the chat template, gathered from tokenizer.json,
/// tokenizer_config.json and config.json by the rules of gguf-py's `SpecialVocab`.
struct SpecialTokens {
  /// Roles in the order in which they are looked for. What a template says may add "eot" and "eom".
  private var roles = ["bos", "eos", "unk", "sep", "pad", "cls", "mask"]
  private(set) var identifiers: [(role: String, identifier: Int)] = []
  private(set) var added: [(role: String, isAdded: Bool)] = []
  private var merges: [String] = []
  private var lowercase: Bool?
  private var stripAccents: Bool?
  private let vocabulary: Int?
  private let files: TokenizerFiles
  private var config: JSONObject?

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

  private mutating func setAdded(_ role: String, _ isAdded: Bool, unlessSet: Bool = false) {
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

// MARK: - Post-processors

extension SpecialTokens {
  /// What is put before and after a text, by tokenizer.json's post-processor.
  private mutating func readPostProcessor(_ processor: JSONValue?) {
    func text(_ key: String) -> JSONValue? { config?[key].flatMap { $0.isNull ? nil : $0 } }
    if isFalse(text("bos_token")), let first = text("cls_token") { config?["bos_token"] = first }
    if isFalse(text("eos_token")), let last = text("sep_token") { config?["eos_token"] = last }
    guard let processor, processor.object != nil else { return }
    for step in processor["processors"]?.array ?? [processor] {
      switch step["type"]?.string {
      case "ByteLevel"?:
        setAdded("bos", false, unlessSet: true)
        setAdded("eos", false, unlessSet: true)
      case "TemplateProcessing"?: read(template: step["single"]?.array ?? [])
      default: continue
      }
    }
  }

  private func isFalse(_ value: JSONValue?) -> Bool { value == nil || value?.string?.isEmpty == true }

  /// The special tokens at both ends of the template for one text.
  private mutating func read(template: [JSONValue]) {
    guard template.count > 1 else { return }
    if let first = template.first?["SpecialToken"]?["id"]?.string, !first.isEmpty { readFirst(first) }
    if let last = template.last?["SpecialToken"]?["id"]?.string, !last.isEmpty { readLast(last) }
  }

  private mutating func readFirst(_ first: String) {
    guard config != nil else { return setAdded("bos", true) }
    func isNamed() -> Bool { config?["bos_token"]?.string == first || config?["cls_token"]?.string == first }
    if !isNamed() {
      if isFalse(config?["bos_token"]) { config?["bos_token"] = .string(first) }
      if isFalse(config?["cls_token"]) { config?["cls_token"] = .string(first) }
    }
    setAdded("bos", isNamed())
  }

  /// A last token that isn't the end-of-text token becomes it, and what was it ends a turn.
  private mutating func readLast(_ last: String) {
    guard config != nil else { return setAdded("eos", true) }
    let end = config?["eos_token"]
    if end?.string != last {
      if let role = ["eot", "eom"].first(where: { !roles.contains($0) }) {
        roles.append(role)
        config?["\(role)_token"] = end
      }
      config?["eos_token"] = .string(last)
    }
    setAdded("eos", true)
  }
}
