import Checkpoints
import Codecs

/// What to do with each tensor: rules, of which the first that fits a tensor decides. The text form is in
/// specs/recipe.md.
public struct Recipe: Sendable, Equatable {
  public var name: String
  public var rules: [Rule]

  /// One line of a recipe.
  public struct Rule: Sendable, Equatable {
    public var selector: Selector
    public var treatment: Treatment

    public init(_ selector: Selector, _ treatment: Treatment) {
      self.selector = selector
      self.treatment = treatment
    }
  }

  public init(name: String, rules: [Rule]) {
    self.name = name
    self.rules = rules
  }

  /// What happens to a tensor. One that no rule fits is kept as it is.
  public func treatment(name: String, role: TensorRole) -> Treatment {
    rules.first { $0.selector.matches(name: name, role: role) }?.treatment ?? .keep
  }

  /// The text form: one rule a line.
  public var text: String {
    rules.map { "\($0.selector) \($0.treatment)\n" }.joined()
  }
}

/// What a recipe does with a tensor.
public enum Treatment: Sendable, Equatable, CustomStringConvertible {
  /// Stored as the source stores it, bit for bit.
  case keep
  /// Kept bit for bit, and compressed.
  case lossless
  /// Left out, because the user said so.
  case drop
  /// Quantized. The rule says how scales are chosen; nil is the codec's default.
  case quantize(CodecDescriptor, ScaleRule?)

  public var description: String {
    switch self {
    case .keep: "keep"
    case .lossless: "lossless"
    case .drop: "drop"
    case .quantize(let descriptor, let rule): "\(descriptor)" + (rule.map { "@\($0.rawValue)" } ?? "")
    }
  }

  /// Parses `keep`, `lossless`, `drop`, or an encoding with an optional scale rule: `int4:group=32@absmax`.
  /// Throws `CodecError.descriptor`, also when no such encoding exists or can be written from floats.
  public init(parsing text: String) throws(CodecError) {
    switch text {
    case "keep": self = .keep
    case "lossless": self = .lossless
    case "drop": self = .drop
    default:
      let parts = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      let codec = try CodecRegistry.codec(parts[0])
      guard codec is any QuantizingCodec else {
        throw .descriptor(text, reason: "this encoding can be read but not made from floats")
      }
      var rule: ScaleRule?
      if parts.count == 2 {
        rule = ScaleRule(rawValue: parts[1])
        if rule == nil {
          let names = ScaleRule.allCases.map(\.rawValue).joined(separator: ", ")
          throw .descriptor(text, reason: "the scale rule should be one of \(names)")
        }
      }
      self = .quantize(codec.descriptor, rule)
    }
  }
}
