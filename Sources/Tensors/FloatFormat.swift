/// A binary floating-point type of up to 64 bits, described by its fields: sign, exponent, mantissa from the top.
/// A code with exponent field `f > 0` and mantissa `m` stands for `(1 + m / 2^M) * 2^(f - bias)`, one with `f = 0` for
/// `m / 2^M * 2^(1 - bias)`. specs/codecs/plain.md lists the types with their sources.
public struct FloatFormat: Sendable, Hashable {
  /// Which codes are not numbers.
  public enum Specials: Sendable, Hashable {
    /// The largest exponent field holds infinity (mantissa 0) and NaN: IEEE 754.
    case infinityAndNaN
    /// Only the code with all exponent and mantissa bits set is NaN; no infinity ("FN").
    case nanOnAllOnes
    /// Only the code of negative zero is NaN; no infinity and no negative zero ("FNUZ").
    case nanOnNegativeZero
    /// Every code is a number.
    case none
  }

  /// What a number becomes whose rounded magnitude is larger than the largest of the type.
  public enum Overflow: Sendable, Hashable {
    case infinity, saturate, notANumber
  }

  public let exponentBits: Int
  public let mantissaBits: Int
  public let bias: Int
  public let specials: Specials
  public let overflow: Overflow
  /// False for E8M0, which has neither sign nor zero: the exponent field 0 is an exponent like any other.
  public let hasSignAndZero: Bool

  // Derived once, as conversions need them for every element.
  let magnitudeMask: UInt64
  let mantissaMask: UInt64
  let signBit: UInt64
  /// The magnitude code of infinity, in the types that have one.
  let infinity: UInt64
  /// The magnitude code of the largest number.
  let largest: UInt64
  /// The power of two of one unit in the last place of the smallest numbers.
  let smallestExponent: Int

  init(_ exponentBits: Int, _ mantissaBits: Int, bias: Int, _ specials: Specials, _ overflow: Overflow) {
    self.exponentBits = exponentBits
    self.mantissaBits = mantissaBits
    self.bias = bias
    self.specials = specials
    self.overflow = overflow
    hasSignAndZero = mantissaBits > 0
    magnitudeMask = 1 << UInt64(exponentBits + mantissaBits) - 1
    mantissaMask = 1 << UInt64(mantissaBits) - 1
    signBit = hasSignAndZero ? magnitudeMask + 1 : 0
    infinity = magnitudeMask & ~mantissaMask
    smallestExponent = (hasSignAndZero ? 1 : 0) - bias - mantissaBits
    largest =
      switch specials {
      case .infinityAndNaN: infinity - 1
      case .nanOnAllOnes: magnitudeMask - 1
      case .nanOnNegativeZero, .none: magnitudeMask
      }
  }

  /// The format of a floating-point dtype; nil for the others.
  public init?(_ dtype: DType) {
    switch dtype {
    case .f4: self.init(2, 1, bias: 1, .none, .saturate)
    case .f6e2m3: self.init(2, 3, bias: 1, .none, .saturate)
    case .f6e3m2: self.init(3, 2, bias: 3, .none, .saturate)
    case .f8e4m3: self.init(4, 3, bias: 7, .nanOnAllOnes, .saturate)
    case .f8e5m2: self.init(5, 2, bias: 15, .infinityAndNaN, .infinity)
    case .f8e4m3fnuz: self.init(4, 3, bias: 8, .nanOnNegativeZero, .notANumber)
    case .f8e5m2fnuz: self.init(5, 2, bias: 16, .nanOnNegativeZero, .notANumber)
    case .f8e8m0: self.init(8, 0, bias: 127, .nanOnAllOnes, .notANumber)
    case .f16: self.init(5, 10, bias: 15, .infinityAndNaN, .infinity)
    case .bf16: self.init(8, 7, bias: 127, .infinityAndNaN, .infinity)
    case .f32: self.init(8, 23, bias: 127, .infinityAndNaN, .infinity)
    case .f64: self.init(11, 52, bias: 1023, .infinityAndNaN, .infinity)
    case .bool, .u8, .i8, .i16, .u16, .i32, .u32, .c64, .i64, .u64: return nil
    }
  }

  /// Wide types keep what they can of a NaN's payload; narrow ones have one NaN a sign, or one at all.
  var keepsPayload: Bool { mantissaBits >= 7 }
}
