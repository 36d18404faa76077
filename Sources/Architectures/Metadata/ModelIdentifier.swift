/// What the parts of a model's name mean, by the rules of gguf-py's `get_model_id_components`: a name such as
/// "org/Base-7B-Instruct-v0.2" has an organization, a base name, a size, a fine-tune and a version.
struct ModelIdentifier: Equatable {
  var fullName: String
  var organization: String?
  var baseName: String?
  var fineTune: String?
  var version: String?
  var sizeLabel: String?

  /// - Parameter parameters: number of the model's parameters; a size in the name that is far from it is taken for the
  ///   length of a context.
  init(_ identifier: String, parameters: Int) {
    fullName = identifier
    if identifier.contains(" ") { return }
    if let slash = identifier.firstIndex(of: "/") {
      organization = String(identifier[..<slash])
      fullName = String(identifier[identifier.index(after: slash)...])
      if organization?.hasPrefix(".") == true { organization = nil }
    }
    var parts = fullName.split(separator: "-").map { NamePart(text: String($0)) }
    for index in parts.indices { parts[index].classify(isFirst: index == 0, parameters: parameters) }
    Self.preferNumbers(&parts)
    Self.markBase(&parts)
    gather(parts)
  }

  /// Sizes in words don't count beside sizes in numbers.
  private static func preferNumbers(_ parts: inout [NamePart]) {
    guard parts.contains(where: { $0.kinds.contains(.size) && $0.text.contains(where: \.isDecimalDigit) }) else {
      return
    }
    for index in parts.indices where parts[index].kinds.contains(.size) && parts[index].text.allSatisfy(\.isLetter) {
      parts[index].kinds.remove(.size)
    }
  }

  /// The base name is what stands before the first part of another kind; a version at its end isn't part of it.
  private static func markBase(_ parts: inout [NamePart]) {
    var isAtStart = true
    for index in parts.indices {
      let part = parts[index]
      let startsWithLetter = part.text.first?.isLetter == true
      if isAtStart, (part.kinds.isEmpty && startsWithLetter) || part.kinds.contains(.version) {
        parts[index].kinds.insert(.base)
      } else {
        isAtStart = false
        if part.kinds.isEmpty { parts[index].kinds.insert(.fineTune) }
      }
    }
    for index in parts.indices.reversed() {
      guard parts[index].kinds.contains(.base), parts[index].kinds.count > 1 else { break }
      parts[index].kinds.remove(.base)
    }
  }

  private mutating func gather(_ parts: [NamePart]) {
    func joined(_ matches: (NamePart) -> Bool) -> String? {
      let texts = parts.filter(matches).map(\.text)
      return texts.isEmpty ? nil : texts.joined(separator: "-")
    }
    baseName = joined { $0.kinds.contains(.base) }
    fineTune = joined { $0.kinds.contains(.fineTune) }
    version = joined { $0.kinds.contains(.version) && !$0.kinds.contains(.base) }
    var sizes: [String] = []
    for part in parts where part.kinds.contains(.size) && !sizes.contains(part.text) { sizes.append(part.text) }
    sizeLabel = sizes.isEmpty ? nil : sizes.joined(separator: "-")
    if sizeLabel == nil, fineTune == nil, version == nil { baseName = nil }
  }

  /// A name as a title: hyphens become spaces, and words in small letters that aren't versions are capitalized.
  static func title(_ name: String) -> String {
    name.split(whereSeparator: { $0 == "-" || $0.isWhitespace }).map { word in
      let isLower = word.contains(where: \.isLowercase) && !word.contains(where: \.isUppercase)
      let isVersion = word.first?.isDecimalDigit == true || (word.first == "v" && isDotted(word.dropFirst()))
      return isLower && !isVersion ? capitalized(word) : String(word)
    }.joined(separator: " ")
  }

  /// Every letter that follows something else than a letter in its capital form.
  private static func capitalized(_ word: Substring) -> String {
    var result = ""
    var followsLetter = false
    for character in word {
      result += followsLetter ? character.lowercased() : character.uppercased()
      followsLetter = character.isLetter
    }
    return result
  }

  /// Whether a text is numbers with dots between them.
  static func isDotted(_ text: some StringProtocol) -> Bool {
    let numbers = text.split(separator: ".", omittingEmptySubsequences: false)
    return !numbers.isEmpty && numbers.allSatisfy { !$0.isEmpty && $0.allSatisfy(\.isDecimalDigit) }
  }
}

extension Character {
  var isDecimalDigit: Bool { isASCII && isNumber }
}
