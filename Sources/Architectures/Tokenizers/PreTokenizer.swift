import JSON

/// The name that llama.cpp gives to a pre-tokenizer, recognized from tokenizer.json's own description of it.
enum PreTokenizer {
  /// The name, or nil if the description isn't one of the table.
  static func name(_ json: JSONValue) -> String? {
    let steps = flattened(json["pre_tokenizer"])
    let hasNormalization = flattened(json["normalizer"], "normalizers").contains { $0["type"]?.string == "NFC" }
    var signature: [String] = []
    for step in steps {
      guard let part = signaturePart(step) else { return nil }
      signature.append(part)
    }
    guard let name = names[signature] else { return nil }
    return name == "gpt-2" && hasNormalization ? "olmo" : name
  }

  /// The steps of a sequence, or the one step.
  private static func flattened(_ value: JSONValue?, _ key: String = "pretokenizers") -> [JSONValue] {
    guard let value, !value.isNull else { return [] }
    return value["type"]?.string == "Sequence" ? value[key]?.array ?? [] : [value]
  }

  /// What sets one step apart: a pattern for a split, a word for the others.
  private static func signaturePart(_ step: JSONValue) -> String? {
    switch step["type"]?.string {
    case "Split"?:
      let behavior = step["behavior"]?.string
      guard behavior == "Isolated" || (behavior == "Removed" && step["invert"]?.bool == true) else { return nil }
      return step["pattern"]?["Regex"]?.string
    case "Digits"?: return step["individual_digits"]?.bool == true ? "digits" : nil
    case "ByteLevel"?: return step["use_regex"]?.bool == false ? "bytes" : "words"
    default: return nil
    }
  }

  private static let contractions = #"(?i:'s|'t|'re|'ve|'m|'ll|'d)"#
  private static let rest = #"\s*[\r\n]+|\s+(?!\S)|\s+"#

  /// Letters, numbers in runs of at most three or one by one, and punctuation, as cl100k and Qwen split.
  private static func plain(numbers: String) -> String {
    contractions + #"|[^\r\n\p{L}\p{N}]?\p{L}+|"# + numbers + #"| ?[^\s\p{L}\p{N}]+[\r\n]*|"# + rest
  }

  /// Words by upper and lower case, as o200k and Tekken split.
  private static func cased(after: String, numbers: String) -> String {
    let (upper, lower) = (#"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]"#, #"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"#)
    let before = #"[^\r\n\p{L}\p{N}]?"#
    return "\(before)\(upper)*\(lower)+\(after)|\(before)\(upper)+\(lower)*\(after)|\(numbers)"
      + #"| ?[^\s\p{L}\p{N}]+[\r\n/]*|"# + rest
  }

  private static let deepseekV3Words =
    ##"[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^"## + "\r\n"
    + #"\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+["# + "\r\n" + #"]*|\s*["# + "\r\n" + #"]+|\s+(?!\S)|\s+"#

  /// Steps and their name, from the tokenizers that llama.cpp's converter names (`get_vocab_base_pre`) and the
  /// patterns that llama.cpp itself splits by.
  private static let names: [[String]: String] = [
    [plain(numbers: #"\p{N}{1,3}"#), "bytes"]: "llama-bpe",
    [plain(numbers: #"\p{N}"#), "bytes"]: "qwen2",
    [cased(after: contractions + "?", numbers: #"\p{N}{1,3}"#), "bytes"]: "gpt-4o",
    [cased(after: "", numbers: #"\p{N}"#), "bytes"]: "tekken",
    [#"\p{N}{1,3}"#, "[一-龥\u{3040}-ゟ゠-ヿ]+", deepseekV3Words, "bytes"]: "deepseek-v3",
    [
      "[\r\n]", DeepSeekPatterns.letters, DeepSeekPatterns.marks, #"\s+$"#, DeepSeekPatterns.ideographs, "digits",
      "bytes",
    ]: "deepseek-llm",
    ["[\r\n]", #"\s?\p{L}+"#, #"\s?\p{P}+"#, DeepSeekPatterns.ideographs, "digits", "bytes"]: "deepseek-coder",
    ["words"]: "gpt-2",
    ["digits", "words"]: "starcoder",
  ]
}

// MARK: - The way back

extension PreTokenizer {
  /// Names for which another's steps stand: llama.cpp splits the same way under them.
  private static let aliases = ["glm4": "llama-bpe", "dbrx": "llama-bpe", "refact": "starcoder", "olmo": "gpt-2"]

  /// tokenizer.json's description of a pre-tokenizer, or nil if the name isn't in the table.
  static func description(_ name: String) -> JSONValue? {
    let wanted = aliases[name] ?? name
    guard let signature = names.first(where: { $0.value == wanted })?.key else { return nil }
    return ["type": "Sequence", "pretokenizers": .array(signature.map(step))]
  }

  private static func step(_ part: String) -> JSONValue {
    switch part {
    case "bytes": byteLevel(usesPattern: false)
    case "words": byteLevel(usesPattern: true)
    case "digits": ["type": "Digits", "individual_digits": true]
    default:
      ["type": "Split", "pattern": ["Regex": .string(part)], "behavior": "Isolated", "invert": false]
    }
  }

  static func byteLevel(usesPattern: Bool) -> JSONValue {
    ["type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": .bool(usesPattern)]
  }
}
