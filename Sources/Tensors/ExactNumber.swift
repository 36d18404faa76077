/// What an element of any real dtype stands for, exactly: the common ground of every conversion, so that a value is
/// rounded once, from its source type to its target type.
struct ExactNumber: Equatable {
  enum Kind: Equatable { case finite, infinite, notANumber }

  var kind = Kind.finite
  var negative = false
  /// A finite number is `significand * 2^exponent`. Of a NaN, the mantissa field from the top bit down.
  var significand: UInt64 = 0
  var exponent = 0

  /// The payload of the NaN that stands for any other: the quiet bit alone.
  static let quiet: UInt64 = 1 << 63

  init(negative: Bool, magnitude: UInt64) {
    self.negative = negative
    significand = magnitude
  }

  init(_ kind: Kind, negative: Bool, significand: UInt64 = 0, exponent: Int = 0) {
    self.kind = kind
    self.negative = negative
    self.significand = significand
    self.exponent = exponent
  }

  /// The magnitude without its fraction; nil if it doesn't fit 64 bits.
  var truncatedMagnitude: UInt64? {
    guard significand != 0 else { return 0 }
    guard exponent > 0 else { return exponent > -64 ? significand &>> UInt64(-exponent) : 0 }
    return exponent <= significand.leadingZeroBitCount ? significand &<< UInt64(exponent) : nil
  }

  /// `significand / 2^shift` rounded to nearest, ties to even. For a negative shift the product must fit.
  func roundedSignificand(shift: Int) -> UInt64 {
    guard shift > 0 else { return significand &<< UInt64(-shift) }
    guard shift <= 64 else { return 0 }
    let kept = shift == 64 ? 0 : significand &>> UInt64(shift)
    let half = UInt64(1) &<< UInt64(shift - 1)
    let rest = significand & (half | (half - 1))
    return rest > half || (rest == half && kept & 1 == 1) ? kept + 1 : kept
  }
}
