/// Tensor names with their numbers taken out: the first number of a name is its layer, the second its expert.
struct NumberedName: Hashable {
  /// The name with `{layer}` and `{expert}` in place of the numbers.
  var pattern: String
  var layer: Int?
  var expert: Int?

  init(_ name: String) {
    var parts: [Substring] = []
    for part in name.split(separator: ".", omittingEmptySubsequences: false) {
      guard expert == nil, let number = Self.number(part) else {
        parts.append(part)
        continue
      }
      if layer == nil {
        layer = number
        parts.append("{layer}")
      } else {
        expert = number
        parts.append("{expert}")
      }
    }
    pattern = parts.joined(separator: ".")
  }

  /// A name's pattern with its numbers put in.
  static func fill(_ pattern: String, layer: Int? = nil, expert: Int? = nil) -> String {
    pattern.split(separator: ".", omittingEmptySubsequences: false).map { part in
      if part == "{layer}", let layer { return String(layer) }
      if part == "{expert}", let expert { return String(expert) }
      return String(part)
    }.joined(separator: ".")
  }

  /// A number without leading zeros or sign, so that a pattern and its numbers give the name back.
  private static func number(_ part: Substring) -> Int? {
    guard let first = part.utf8.first, (48...57).contains(first), part.utf8.count == 1 || first != 48 else {
      return nil
    }
    return Int(part)
  }
}
