import Codecs

/// Finds the quality that meets a goal: bits a weight, or relative squared error.
public enum RateControl {
  public enum Goal: Sendable, Equatable {
    /// At most so many bits a weight, everything counted.
    case bits(Double)
    /// At most so much squared error over squared norm.
    case error(Double)
  }

  /// What encoding at a quality gave.
  public struct Outcome: Sendable {
    public var bits: Double
    public var error: Double

    public init(bits: Double, error: Double) {
      self.bits = bits
      self.error = error
    }
  }

  /// The coarsest (for an error goal) or finest (for a bits goal) quality found that meets the goal: bisection of the
  /// logarithm, `steps` encodings. Nil if none that was tried meets it.
  public static func quality(
    for goal: Goal, in range: ClosedRange<Float> = 0x1p-12...8, steps: Int = 12,
    _ encode: (Float) throws -> Outcome
  ) rethrows -> Float? {
    var low = BinaryLogarithm.of(Double(range.lowerBound))
    var high = BinaryLogarithm.of(Double(range.upperBound))
    var found: Float?
    for _ in 0..<steps {
      let middle = (low + high) / 2
      let quality = exponential(middle)
      let outcome = try encode(quality)
      switch goal {
      case .bits(let limit):
        if outcome.bits <= limit {
          found = quality
          high = middle
        } else {
          low = middle
        }
      case .error(let limit):
        if outcome.error <= limit {
          found = quality
          low = middle
        } else {
          high = middle
        }
      }
    }
    return found
  }

  /// 2^x to the nearest 1/256 of an octave or so, from exact operations.
  static func exponential(_ x: Double) -> Float {
    let whole = x.rounded(.down)
    var result = 1.0
    var root = 2.0
    var fraction = x - whole
    for _ in 0..<20 {
      root = root.squareRoot()
      fraction *= 2
      if fraction >= 1 {
        fraction -= 1
        result *= root
      }
    }
    return Float(result) * Float(sign: .plus, exponent: Int(whole), significand: 1)
  }
}
