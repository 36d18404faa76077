import Tensors

/// The element formats of OCP Microscaling Formats (MX) v1.0, section 5.3. The raw value names the codec.
public enum MXElement: String, Sendable, CaseIterable {
  case e2m1 = "mxfp4"
  case e2m3 = "mxfp6e2m3"
  case e3m2 = "mxfp6e3m2"
  case e4m3 = "mxfp8e4m3"
  case e5m2 = "mxfp8e5m2"

  /// The plain type of one element.
  public var dtype: DType {
    switch self {
    case .e2m1: .f4
    case .e2m3: .f6e2m3
    case .e3m2: .f6e3m2
    case .e4m3: .f8e4m3
    case .e5m2: .f8e5m2
    }
  }

  /// Bits of a code: sign, exponent, mantissa from the top.
  public var bits: Int { dtype.bits }

  /// The value of every code.
  public var values: [Float] { Elements.table(dtype) }

  public var mantissaBits: Int {
    switch self {
    case .e2m1: 1
    case .e3m2, .e5m2: 2
    case .e2m3, .e4m3: 3
    }
  }

  /// The largest finite value.
  public var largest: Float {
    switch self {
    case .e2m1: 6
    case .e2m3: 7.5
    case .e3m2: 28
    case .e4m3: 448
    case .e5m2: 57344
    }
  }

  /// Exponent of the largest finite value.
  public var largestExponent: Int { Int(largest.exponent) }

  /// Exponent of the smallest normal value; subnormals share it.
  public var smallestExponent: Int {
    switch self {
    case .e2m1, .e2m3: 0
    case .e3m2: -2
    case .e4m3: -6
    case .e5m2: -14
    }
  }

  /// The code whose magnitude is nearest to `magnitude`, ties to even mantissa, saturating; without the sign bit.
  func nearestCode(_ magnitude: Float) -> UInt8 {
    let rounded = rounded(magnitude)
    guard rounded >= Float(sign: .plus, exponent: smallestExponent, significand: 1) else {
      return UInt8(rounded / Float(sign: .plus, exponent: smallestExponent - mantissaBits, significand: 1))
    }
    let mantissa = Int(rounded.significandBitPattern >> UInt32(23 - mantissaBits))
    return UInt8((Int(rounded.exponent) - smallestExponent + 1) << mantissaBits | mantissa)
  }

  /// The nearest magnitude that the element can hold.
  func rounded(_ magnitude: Float) -> Float {
    let clipped = min(magnitude, largest)
    let exponent = clipped == 0 ? smallestExponent : max(Int(clipped.exponent), smallestExponent)
    let step = Float(sign: .plus, exponent: exponent - mantissaBits, significand: 1)
    return (clipped / step).rounded(.toNearestOrEven) * step
  }
}
