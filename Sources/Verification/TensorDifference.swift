/// What `diff` and `verify --against` find about one tensor name.
public struct TensorDifference: Sendable, Equatable {
  public enum Kind: String, Sendable {
    /// The stored bytes, or all values bit for bit, are the same.
    case identical
    /// Some values differ.
    case values
    /// Only the first has it.
    case missing
    /// Only the second has it.
    case extra
    case shape
  }

  public var name: String
  public var kind: Kind
  /// How each side stores it: `BF16`, `mxfp4`; empty where it is missing.
  public var encodings: (String, String)
  public var shapes: ([Int], [Int])
  /// Elements whose values differ in a bit.
  public var differing = 0
  /// Sum of squared differences over the sum of squares of the first.
  public var relativeMSE = 0.0
  public var maximumError = 0.0
  /// Cosine of the angle between the two as vectors.
  public var cosine = 1.0

  public init(
    name: String, kind: Kind, encodings: (String, String) = ("", ""), shapes: ([Int], [Int]) = ([], [])
  ) {
    self.name = name
    self.kind = kind
    self.encodings = encodings
    self.shapes = shapes
  }

  public static func == (a: TensorDifference, b: TensorDifference) -> Bool {
    a.name == b.name && a.kind == b.kind && a.encodings == b.encodings && a.shapes == b.shapes
      && a.differing == b.differing && a.relativeMSE == b.relativeMSE && a.maximumError == b.maximumError
      && a.cosine == b.cosine
  }
}
