/// Bits of each code of one context.
public struct TrellisCosts: Sendable {
  /// By magnitude, 0...15; the last counts the excess of an escape.
  private let bits: [Float]

  /// The costs under a model. A magnitude that the model has no symbol for costs what no search will pay.
  public init(_ model: TrellisModel) {
    let frequencies = model.frequencies
    bits = (0...TrellisModel.escape).map { magnitude in
      guard magnitude <= Int(model.largest) else { return 24 }
      let own = Float(TrellisModel.bits) - Float(BinaryLogarithm.of(Double(frequencies[2 * magnitude])))
      return magnitude == TrellisModel.escape ? own + Float(TrellisModel.bits) : own
    }
  }

  /// A guess to start from: a bit and a half, and as much again for each step away from zero.
  public init() { bits = (0...TrellisModel.escape).map { 1.5 * Float($0 + 1) } }

  public subscript(magnitude: Int) -> Float { bits[min(magnitude, TrellisModel.escape)] }
}

/// log2 from IEEE arithmetic alone, so that every machine gives the same bits.
public enum BinaryLogarithm {
  /// log2 of a positive, normal number, to about 2^-40.
  public static func of(_ value: Double) -> Double {
    var result = Double(value.exponent)
    var significand = value.significand
    var weight = 0.5
    for _ in 0..<40 {
      significand *= significand
      if significand >= 2 {
        significand /= 2
        result += weight
      }
      weight /= 2
    }
    return result
  }
}
