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

extension RateControl {
  /// A quality close to the goal, and inside it if one that was tried is: bits fall by one, and the logarithm of the
  /// error grows by two, with each doubling of the quality, more or less; steps by the secant after the first.
  /// - Parameter quality: where to start, if that is known.
  public static func approach(
    _ goal: Goal, from quality: Float? = nil, steps: Int = 5, _ encode: (Float) throws -> Outcome
  ) rethrows -> Float {
    var tried: [(x: Double, excess: Double)] = []
    var x = quality.map { BinaryLogarithm.of(Double($0)) } ?? start(goal)
    for _ in 0..<steps {
      let excess = excess(try encode(exponential(x)), over: goal)
      tried.append((x, excess))
      if excess <= 0, excess > -tolerance { break }
      x += step(after: tried, goal)
    }
    let inside = tried.filter { $0.excess <= 0 }.max { $0.excess < $1.excess }
    return exponential(inside?.x ?? x)
  }

  /// How far inside the goal, in bits, is near enough.
  private static let tolerance = 0.004

  /// Where to start, in octaves of the quality.
  private static func start(_ goal: Goal) -> Double {
    switch goal {
    case .bits(let bits): min(2, max(-10, 0.5 - bits))
    case .error(let error): min(3, max(-12, 0.5 * BinaryLogarithm.of(max(error, 1e-9) / 0.24)))
    }
  }

  /// How far beyond the goal, in bits: half the logarithm of an error is worth a bit.
  private static func excess(_ outcome: Outcome, over goal: Goal) -> Double {
    switch goal {
    case .bits(let bits): outcome.bits - bits
    case .error(let error): 0.5 * BinaryLogarithm.of(max(outcome.error, 1e-30) / max(error, 1e-30))
    }
  }

  /// To where the line through the last two tries, or a bit an octave through one, is half the tolerance inside.
  private static func step(after tried: [(x: Double, excess: Double)], _ goal: Goal) -> Double {
    let last = tried[tried.count - 1]
    var slope = if case .bits = goal { -1.0 } else { 1.0 }
    if tried.count > 1 {
      let before = tried[tried.count - 2]
      let measured = (last.excess - before.excess) / (last.x - before.x)
      if measured.isFinite, measured * slope > 0.05 { slope = measured }
    }
    return max(-3, min(3, -(last.excess + tolerance / 2) / slope))
  }
}
