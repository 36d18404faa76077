/// The front matter of a model card: keys with a text or a list of texts. This is the part of YAML that model cards
/// use for the keys that GGUF has; what is nested deeper is passed over.
public struct ModelCard: Sendable, Equatable {
  private var values: [String: [String]] = [:]
  private var lists: Set<String> = []

  /// Reads the front matter of README.md, or nil if it has none.
  public init?(readme: String) {
    var lines = readme.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)[...]
    guard lines.popFirst() == "---" else { return nil }
    var key: String?
    for line in lines.prefix(while: { $0 != "---" }) {
      let text = Self.trimmed(line)
      if text.isEmpty || text.hasPrefix("#") { continue }
      if text.hasPrefix("- ") || text == "-" {
        addItem(String(text.dropFirst()), to: key)
      } else if line.first?.isWhitespace != true, let colon = text.firstIndex(of: ":") {
        let name = Self.plain(text[..<colon])
        key = name
        add(name, Self.trimmed(text[text.index(after: colon)...]))
      }
    }
    guard !values.isEmpty else { return nil }
  }

  /// The text of a key.
  func text(_ key: String) -> String? { lists.contains(key) ? nil : values[key]?.first }

  /// The texts of the first of the keys that is there.
  func list(_ keys: [String]) -> [String]? { keys.lazy.compactMap { values[$0] }.first }

  private mutating func add(_ key: String, _ text: Substring) {
    if text.hasPrefix("["), text.hasSuffix("]") {
      lists.insert(key)
      values[key] = text.dropFirst().dropLast().split(separator: ",").map { Self.plain($0) }
    } else if !text.isEmpty, !["|", ">", "|-", ">-", "null", "~"].contains(text) {
      values[key] = [Self.plain(text)]
    }
  }

  private mutating func addItem(_ item: String, to key: String?) {
    guard let key, values[key] == nil || lists.contains(key) else { return }
    lists.insert(key)
    values[key, default: []].append(Self.plain(item[...]))
  }

  /// A scalar without its quotes or a comment behind it.
  private static func plain(_ text: Substring) -> String {
    let text = trimmed(text)
    for quote in ["\"", "'"] where text.count >= 2 && text.hasPrefix(quote) && text.hasSuffix(quote) {
      return String(text.dropFirst().dropLast())
    }
    guard let comment = text.firstRange(of: " #") else { return String(text) }
    return String(trimmed(text[..<comment.lowerBound]))
  }

  private static func trimmed(_ text: Substring) -> Substring {
    let start = text.drop(while: \.isWhitespace)
    guard let last = start.lastIndex(where: { !$0.isWhitespace }) else { return start }
    return start[...last]
  }
}
