import Calibration
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

  /// True if it has weights solved.
  public var isCalibrated: Bool {
    rules.contains { if case .solve = $0.treatment { true } else { false } }
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
  /// Quantized by a solver, from statistics of the weight's inputs.
  case solve(CodecDescriptor, Solver.Method)

  public var description: String {
    switch self {
    case .keep: "keep"
    case .lossless: "lossless"
    case .drop: "drop"
    case .quantize(let descriptor, let rule): "\(descriptor)" + (rule.map { "@\($0.rawValue)" } ?? "")
    case .solve(let descriptor, let method): "\(descriptor)@\(Self.word(method))"
    }
  }

  /// The word of a solver's method, in the place of a scale rule.
  private static func word(_ method: Solver.Method) -> String { method == .gptq ? "gptq" : "calibrated" }

  /// Parses `keep`, `lossless`, `drop`, or an encoding with an optional scale rule: `int4:group=32@absmax`. The rules
  /// `@gptq` and `@calibrated` ask for a solver; `gptq-int4` is short for `int4@gptq`, and `rtn-int4` for `int4`.
  /// Throws `CodecError.descriptor`, also when no such encoding exists or can be written from floats.
  public init(parsing text: String) throws(CodecError) {
    switch text {
    case "keep": self = .keep
    case "lossless": self = .lossless
    case "drop": self = .drop
    default: self = try Self.quantizing(text)
    }
  }

  private static func quantizing(_ text: String) throws(CodecError) -> Treatment {
    if text.hasPrefix("rtn-") { return try quantizing(String(text.dropFirst(4))) }
    if text.hasPrefix("gptq-") { return try quantizing(String(text.dropFirst(5)) + "@gptq") }
    let parts = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    let codec = try CodecRegistry.codec(parts[0])
    if parts.count == 2, let method = [Solver.Method.gptq, .nearest].first(where: { word($0) == parts[1] }) {
      return .solve(try solvable(codec), method)
    }
    guard codec is any QuantizingCodec || codec is any VariableCodec else {
      throw .descriptor(text, reason: "this encoding can be read but not made from floats")
    }
    guard parts.count == 2 else { return .quantize(codec.descriptor, nil) }
    guard let rule = ScaleRule(rawValue: parts[1]) else {
      let names = (ScaleRule.allCases.map(\.rawValue) + ["gptq", "calibrated"]).joined(separator: ", ")
      throw .descriptor(text, reason: "the scale rule should be one of \(names)")
    }
    return .quantize(codec.descriptor, rule)
  }

  private static func solvable(_ codec: any Codec) throws(CodecError) -> CodecDescriptor {
    do {
      return try SolvableEncodings.encoding(codec).codec.descriptor
    } catch {
      throw .descriptor("\(codec.descriptor)", reason: "\(error)")
    }
  }
}
