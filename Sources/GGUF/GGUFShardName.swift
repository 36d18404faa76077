/// The name of a shard of a split model: `NAME-00002-of-00005.gguf`, as llama.cpp makes it from "%s-%05d-of-%05d.gguf".
public struct GGUFShardName: Sendable, Hashable, CustomStringConvertible {
  /// The path up to the number, directory included.
  public var prefix: String
  /// Counted from 1.
  public var number: Int
  public var count: Int

  public init(prefix: String, number: Int, count: Int) {
    self.prefix = prefix
    self.number = number
    self.count = count
  }

  /// Nil if the path doesn't end as a shard's does.
  public init?(path: String) {
    let parts = path.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count >= 4, parts[parts.count - 2] == "of", parts[parts.count - 1].hasSuffix(".gguf"),
      let number = Int(parts[parts.count - 3]), let count = Int(parts[parts.count - 1].dropLast(5))
    else { return nil }
    self.init(prefix: parts.dropLast(3).joined(separator: "-"), number: number, count: count)
    guard number >= 1, number <= count, description.utf8.elementsEqual(path.utf8) else { return nil }
  }

  /// The path.
  public var description: String { "\(prefix)-\(Self.digits(number))-of-\(Self.digits(count)).gguf" }

  /// The shard of the same model with another number.
  public func sibling(_ number: Int) -> GGUFShardName {
    GGUFShardName(prefix: prefix, number: number, count: count)
  }

  private static func digits(_ value: Int) -> String {
    let text = String(value)
    return String(repeating: "0", count: max(0, 5 - text.count)) + text
  }
}
