/// Names of the files of a set: `NAME-00001-of-00003.bale`.
enum ShardName {
  private static let suffix = ".bale"

  static func path(base: String, number: Int, count: Int) -> String {
    let stem = base.hasSuffix(suffix) ? String(base.dropLast(suffix.count)) : base
    return "\(stem)-\(digits(number))-of-\(digits(count))\(suffix)"
  }

  private static func digits(_ number: Int) -> String {
    let text = String(number)
    return String(repeating: "0", count: max(0, 5 - text.count)) + text
  }

  /// The path of shard `number`, given that of shard `own` of the same set. Nil if that has another name.
  static func sibling(of path: String, own: Int, number: Int, count: Int) -> String? {
    let ending = "-\(digits(own))-of-\(digits(count))\(suffix)"
    guard path.hasSuffix(ending) else { return nil }
    return self.path(base: String(path.dropLast(ending.count)), number: number, count: count)
  }
}
