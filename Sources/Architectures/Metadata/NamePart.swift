#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// One part of a model's name between hyphens.
struct NamePart {
  enum Kind: Hashable { case base, size, fineTune, version, type }

  var text: String
  var kinds: Set<Kind> = []

  init(text: String) { self.text = text }

  mutating func classify(isFirst: Bool, parameters: Int) {
    let lower = text.lowercased()
    if Self.isVersion(lower) {
      kinds.insert(.version)
    } else if Self.isType(lower) {
      kinds.insert(.type)
      text = text.uppercased()
    } else if !isFirst, Self.isSize(lower) {
      readSize(parameters: parameters)
    } else if !isFirst, ["chat", "instruct", "vision", "lora"].contains(lower) {
      kinds.insert(.fineTune)
    }
  }

  /// `(v|iter)?\d+([.]\d+)*`
  private static func isVersion(_ text: String) -> Bool {
    for prefix in ["", "v", "iter"] where text.hasPrefix(prefix) {
      if ModelIdentifier.isDotted(text.dropFirst(prefix.count)) { return true }
    }
    return false
  }

  /// `i?q\d(_\w)*|b?fp?(16|32)`
  private static func isType(_ text: String) -> Bool {
    if ["f16", "f32", "fp16", "fp32", "bf16", "bf32", "bfp16", "bfp32"].contains(text) { return true }
    var rest = Substring(text)
    if rest.hasPrefix("i") { rest = rest.dropFirst() }
    guard rest.hasPrefix("q") else { return false }
    rest = rest.dropFirst()
    guard rest.first?.isDecimalDigit == true else { return false }
    rest = rest.dropFirst()
    while !rest.isEmpty {
      guard rest.first == "_", let next = rest.dropFirst().first, next.isLetter || next.isNumber || next == "_" else {
        return false
      }
      rest = rest.dropFirst(2)
    }
    return true
  }

  /// `([A]|\d+[x])?\d+([._]\d+)?[KMBT][\d]?|small|mini|medium|large|x?xl`
  private static func isSize(_ text: String) -> Bool {
    if ["small", "mini", "medium", "large", "xl", "xxl"].contains(text) { return true }
    var rest = Substring(text)
    if rest.first == "a" {
      rest = rest.dropFirst()
    } else if let cross = rest.firstIndex(of: "x"), !rest[..<cross].isEmpty,
      rest[..<cross].allSatisfy(\.isDecimalDigit)
    {
      rest = rest[rest.index(after: cross)...]
    }
    guard let unit = rest.firstIndex(where: { "kmbt".contains($0) }) else { return false }
    let number = rest[..<unit].split(
      omittingEmptySubsequences: false, whereSeparator: { $0 == "." || $0 == "_" })
    let after = rest[rest.index(after: unit)...]
    return (1...2).contains(number.count) && number.allSatisfy { !$0.isEmpty && $0.allSatisfy(\.isDecimalDigit) }
      && (after.isEmpty || (after.count == 1 && after.allSatisfy(\.isDecimalDigit)))
  }

  private mutating func readSize(parameters: Int) {
    var letters = Array(text.map { $0 == "_" ? "." : $0 })
    if letters.count >= 2, let last = letters.last, last.isDecimalDigit {
      letters = letters.dropLast(2) + [".", last, letters[letters.count - 2]]
    }
    if letters.count > 1, letters[letters.count - 2].isDecimalDigit, let last = letters.last, "kmbt".contains(last) {
      letters[letters.count - 1] = Character(last.uppercased())
    }
    if parameters != 0, let size = Double(String(letters.dropLast())),
      let unit = letters.last.flatMap({ " KMBT".firstIndex(of: $0) })
    {
      let label = size * pow(1000, Double(" KMBT".distance(from: " KMBT".startIndex, to: unit)))
      if abs(label - Double(parameters)) > Double(7 * parameters / 8) {
        kinds.insert(.fineTune)
        letters[letters.count - 1] = Character((letters.last ?? " ").lowercased())
      }
    }
    if kinds.isEmpty { kinds.insert(.size) }
    text = String(letters)
  }
}
