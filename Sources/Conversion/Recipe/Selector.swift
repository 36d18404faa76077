import Checkpoints

/// Which tensors a rule is for: a role's word (`experts`), a pattern of the name with `*` and `?`
/// (`model.layers.0.*`), or `*` for all.
public enum Selector: Sendable, Equatable, CustomStringConvertible {
  case role(String)
  case pattern(String)

  /// The words that stand for roles.
  public static let roles = [
    "experts", "router", "norms", "biases", "embeddings", "head", "attention", "linear", "other",
  ]

  public init(_ text: String) {
    self = Self.roles.contains(text) ? .role(text) : .pattern(text)
  }

  public func matches(name: String, role: TensorRole) -> Bool {
    switch self {
    case .role(let word): role.word == word
    case .pattern(let pattern): Self.matches(Array(name.utf8), pattern: Array(pattern.utf8))
    }
  }

  public var description: String {
    switch self {
    case .role(let word): word
    case .pattern(let pattern): pattern
    }
  }

  /// Matches with one backtracking point, the last `*`: linear in practice, never exponential.
  private static func matches(_ name: [UInt8], pattern: [UInt8]) -> Bool {
    let star = UInt8(ascii: "*")
    let any = UInt8(ascii: "?")
    var n = 0
    var p = 0
    var lastStar: (pattern: Int, name: Int)?
    while n < name.count {
      if p < pattern.count, pattern[p] == star {
        lastStar = (p, n)
        p += 1
      } else if p < pattern.count, pattern[p] == any || pattern[p] == name[n] {
        p += 1
        n += 1
      } else if let back = lastStar {
        p = back.pattern + 1
        n = back.name + 1
        lastStar = (back.pattern, n)
      } else {
        return false
      }
    }
    return pattern[p...].allSatisfy { $0 == star }
  }
}
