/// The element formats of OCP Microscaling Formats (MX) v1.0, section 5.3. The raw value names the codec.
public enum MXElement: String, Sendable, CaseIterable {
  case e2m1 = "mxfp4"
  case e2m3 = "mxfp6e2m3"
  case e3m2 = "mxfp6e3m2"
  case e4m3 = "mxfp8e4m3"
  case e5m2 = "mxfp8e5m2"

  /// Bits of a code: sign, exponent, mantissa from the top.
  public var bits: Int {
    switch self {
    case .e2m1: 4
    case .e2m3, .e3m2: 6
    case .e4m3, .e5m2: 8
    }
  }

  public var mantissaBits: Int {
    switch self {
    case .e2m1: 1
    case .e3m2, .e5m2: 2
    case .e2m3, .e4m3: 3
    }
  }

  public var bias: Int {
    switch self {
    case .e2m1, .e2m3: 1
    case .e3m2: 3
    case .e4m3: 7
    case .e5m2: 15
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
  public var smallestExponent: Int { 1 - bias }

  /// The value of every code.
  public var values: [Float] { Self.tables[self] ?? [] }

  private static let tables: [MXElement: [Float]] = Dictionary(
    uniqueKeysWithValues: allCases.map { element in
      (element, (0..<(1 << element.bits)).map { element.value(UInt8($0)) })
    })

  private func value(_ code: UInt8) -> Float {
    let mantissa = Int(code) & ((1 << mantissaBits) - 1)
    let exponent = (Int(code) >> mantissaBits) & ((1 << (bits - 1 - mantissaBits)) - 1)
    let sign: FloatingPointSign = Int(code) >> (bits - 1) == 0 ? .plus : .minus
    return Float(signOf: sign == .plus ? 1 : -1, magnitudeOf: magnitude(exponent: exponent, mantissa: mantissa))
  }

  private func magnitude(exponent: Int, mantissa: Int) -> Float {
    if self == .e4m3, exponent == 15, mantissa == 7 { return .nan }
    if self == .e5m2, exponent == 31 { return mantissa == 0 ? .infinity : .nan }
    let significand = Float(mantissa + (exponent == 0 ? 0 : 1 << mantissaBits))
    return Float(sign: .plus, exponent: max(exponent, 1) - bias - mantissaBits, significand: significand)
  }

  /// The code whose magnitude is nearest to `magnitude`, ties to even mantissa, saturating; without the sign bit.
  func nearestCode(_ magnitude: Float) -> UInt8 {
    let rounded = rounded(magnitude)
    guard rounded >= Float(sign: .plus, exponent: smallestExponent, significand: 1) else {
      return UInt8(rounded / Float(sign: .plus, exponent: smallestExponent - mantissaBits, significand: 1))
    }
    let mantissa = Int(rounded.significandBitPattern >> UInt32(23 - mantissaBits))
    return UInt8((Int(rounded.exponent) + bias) << mantissaBits | mantissa)
  }

  /// The nearest magnitude that the element can hold.
  func rounded(_ magnitude: Float) -> Float {
    let clipped = min(magnitude, largest)
    let exponent = clipped == 0 ? smallestExponent : max(Int(clipped.exponent), smallestExponent)
    let step = Float(sign: .plus, exponent: exponent - mantissaBits, significand: 1)
    return (clipped / step).rounded(.toNearestOrEven) * step
  }
}
