import JSON

/// Merges of a BPE, as GGUF keeps them: two parts with a space between.
enum BPEMerges {
  /// The merges of tokenizer.json: texts, or pairs of texts in which a space is written as its byte-level letter.
  static func texts(_ value: JSONValue?) throws(ArchitectureError) -> [String] {
    guard let entries = value?.array, let first = entries.first else { return [] }
    var texts: [String] = []
    texts.reserveCapacity(entries.count)
    for entry in entries {
      if first.string != nil, let text = entry.string {
        texts.append(text)
      } else if first.string == nil, let pair = entry.array, pair.count == 2, let left = pair[0].string,
        let right = pair[1].string
      {
        texts.append("\(encoded(left)) \(encoded(right))")
      } else {
        throw .tokenizer("tokenizer.json's merge \(texts.count) is neither a text nor a pair of texts")
      }
    }
    return texts
  }

  /// U+0120 for each space.
  private static func encoded(_ part: String) -> String {
    guard part.utf8.contains(0x20) else { return part }
    return String(String.UnicodeScalarView(part.unicodeScalars.map { $0 == " " ? "\u{120}" : $0 }))
  }

  /// The merges of merges.txt; a first line that begins with # is a comment.
  static func lines(of text: String) -> [String] {
    var lines = text.split(whereSeparator: \.isNewline)[...]
    if lines.first?.hasPrefix("#") == true { lines = lines.dropFirst() }
    return lines.compactMap { line in
      let parts = line.split(whereSeparator: \.isWhitespace)
      return parts.count == 2 ? "\(parts[0]) \(parts[1])" : nil
    }
  }
}
