/// Sixteen values, and how a number between -1 and 1 finds the nearest. The raw value names the codec.
public enum Table4: String, Sendable, CaseIterable {
  /// Quantiles of the normal distribution (Dettmers et al., "QLoRA", 2023), as bitsandbytes has them.
  case nf4
  /// A float of a sign, two bits of exponent and one of mantissa, as bitsandbytes has it: codes 0 and 8 are both 0.
  case fp4

  /// The value of every code.
  public var values: [Float] {
    switch self {
    case .nf4:
      [
        -1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635,
        -0.18477343022823334, -0.09105003625154495, 0.0, 0.07958029955625534, 0.16093020141124725,
        0.24611230194568634, 0.33791524171829224, 0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1.0,
      ]
    case .fp4: Self.fp4Magnitudes + Self.fp4Magnitudes.map { 0 - $0 }
    }
  }

  private static let fp4Magnitudes: [Float] = [
    0, 0.005208333333, 0.66666667, 1, 0.33333333, 0.5, 0.16666667, 0.25,
  ]

  /// Ascending; a value's rank is the number of them that it exceeds.
  var thresholds: [Float] {
    switch self {
    case .nf4:
      [
        -0.8480964004993439, -0.6106329262256622, -0.4599952697753906, -0.33967943489551544, -0.23460740596055984,
        -0.13791173323988914, -0.045525018125772476, 0.03979014977812767, 0.1202552504837513, 0.2035212516784668,
        0.2920137718319893, 0.3893125355243683, 0.5016634166240692, 0.6427869200706482, 0.8614784181118011,
      ]
    case .fp4:
      // Halfway between neighbours, with 0 between the codes of the two zeros.
      zip(sortedCodes, sortedCodes.dropFirst()).map { (values[$0] + values[$1]) / 2 }
    }
  }

  /// The code that a rank takes: for what rounds to 0 always code 0, where bitsandbytes has code 8 above 0.
  var codes: [UInt8] { sortedCodes.map { self == .fp4 && $0 == 8 ? 0 : UInt8($0) } }

  /// Codes by ascending value.
  private var sortedCodes: [Int] {
    switch self {
    case .nf4: Array(0..<16)
    case .fp4: [11, 10, 13, 12, 15, 14, 9, 0, 8, 1, 6, 7, 4, 5, 2, 3]
    }
  }
}
