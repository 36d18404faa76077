import JSON

/// What is put before, after and between texts, by tokenizer.json's post-processor.
extension SpecialTokens {
  mutating func readPostProcessor(_ processor: JSONValue?) {
    func text(_ key: String) -> JSONValue? { config?[key].flatMap { $0.isNull ? nil : $0 } }
    if isUnset(text("bos_token")), let first = text("cls_token") { config?["bos_token"] = first }
    if isUnset(text("eos_token")), let last = text("sep_token") { config?["eos_token"] = last }
    guard let processor, processor.object != nil else { return }
    for step in processor["processors"]?.array ?? [processor] {
      switch step["type"]?.string {
      case "ByteLevel"?:
        setAdded("bos", false, unlessSet: true)
        setAdded("eos", false, unlessSet: true)
      case "TemplateProcessing"?: read(single: step["single"]?.array ?? [], pair: step["pair"]?.array ?? [])
      default: continue
      }
    }
  }

  private func isUnset(_ value: JSONValue?) -> Bool {
    value == nil || value?.isNull == true || value?.string?.isEmpty == true
  }

  /// The special tokens at both ends of the template for one text, and between those for two.
  private mutating func read(single: [JSONValue], pair: [JSONValue]) {
    var (first, last): (String?, String?)
    if single.count > 1 {
      first = Self.special(single.first)
      if let first { readFirst(first) }
      last = Self.special(single.last)
      if let last { readLast(last) }
    }
    var middle = pair[...]
    if let first, Self.special(middle.first) == first { middle = middle.dropFirst() }
    if let last, Self.special(middle.last) == last { middle = middle.dropLast() }
    guard middle.count > 2, middle.first?["Sequence"]?["id"]?.string == "A",
      middle.last?["Sequence"]?["id"]?.string == "B"
    else { return }
    readMiddle(middle.dropFirst().dropLast().map(Self.special), hasLast: last != nil)
  }

  private static func special(_ entry: JSONValue?) -> String? {
    entry?["SpecialToken"]?["id"]?.string.flatMap { $0.isEmpty ? nil : $0 }
  }

  private mutating func readFirst(_ first: String) {
    guard config != nil else { return setAdded("bos", true) }
    func isNamed() -> Bool { config?["bos_token"]?.string == first || config?["cls_token"]?.string == first }
    if !isNamed() {
      if isUnset(config?["bos_token"]) { config?["bos_token"] = .string(first) }
      if isUnset(config?["cls_token"]) { config?["cls_token"] = .string(first) }
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

  /// What stands between two texts is a separator if it is one by its role.
  private mutating func readMiddle(_ tokens: [String?], hasLast: Bool) {
    let separators = ["sep_token", "eos_token"].compactMap { config?[$0]?.string }
    func separates(_ token: String?) -> Bool { token.map { separators.contains($0) } ?? false }
    let isAdded = (separates(tokens[0]) && !hasLast) || (tokens.count == 2 && separates(tokens[1]))
    setAdded("sep", isAdded)
    let end = config?["eos_token"]
    if isAdded, config != nil, isUnset(config?["sep_token"]) { config?["sep_token"] = end }
  }
}
