import ByteIO

/// Statistics of the inputs of linear weights, by the weights' names.
public protocol CalibrationSource: Sendable {
  /// Names of the weights that have statistics, sorted.
  var names: [String] { get }

  /// Inputs of a weight, or nil for one without statistics.
  func columns(of name: String) -> Int?

  /// Tokens that reached a weight; nil if there are no statistics or they don't say.
  func tokens(of name: String) -> Int?

  /// The statistics of a weight, or nil if there are none.
  func hessian(of name: String) throws -> Hessian?
}

/// Why a file of statistics is refused.
public enum CalibrationReason: FaultReason {
  /// A tensor of another type than the format has.
  case dtype(expected: String, found: String)
  /// A `.hessian` that isn't square, a `.diagonal` that isn't a row, or a `.count` of more than one number.
  case shape([Int])
  /// A name that ends in none of `.hessian`, `.diagonal` and `.count`.
  case name
  /// A count without statistics, or statistics without a count.
  case unpaired
  /// Both a `.hessian` and a `.diagonal`.
  case twice
  /// A count below zero.
  case count(Int)
  /// The file ends, or a length doesn't fit what is left of it.
  case truncated(need: Int, left: Int)
  /// A text that isn't UTF-8, or a name that comes twice.
  case text
  /// A GGUF file without a key that every importance matrix has.
  case missingKey(String)
  /// A value that isn't finite, or a sum of squares below zero.
  case value(Float)

  public var description: String {
    switch self {
    case .dtype(let expected, let found): "statistics should be \(expected), not \(found)"
    case .shape(let shape): "no statistics have the shape \(shape)"
    case .name: "the name should end in .hessian, .diagonal or .count"
    case .unpaired: "statistics and a count should come together"
    case .twice: "there are both a .hessian and a .diagonal"
    case .count(let count): "\(count) can't be a number of tokens"
    case .truncated(let need, let left): "\(need) bytes are needed where \(left) are left"
    case .text: "a name isn't UTF-8, or comes twice"
    case .missingKey(let key): "it has no key '\(key)', so it is no importance matrix"
    case .value(let value): "\(value) can't be a sum of squares"
    }
  }
}

/// A file of statistics that is refused, with the place.
public typealias CalibrationError = Fault<CalibrationReason>
