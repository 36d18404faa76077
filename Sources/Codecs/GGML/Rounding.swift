/// Float to integer as the x86 build of llama.cpp does it, also where C leaves it undefined.
enum Rounding {
  /// To nearest, ties to even, by adding 1.5 * 2^23 and reading the mantissa. What that gives outside of
  /// -2^22...2^22 is part of the format's compatibility.
  static func nearest(_ value: Float) -> Int32 {
    Int32(bitPattern: (value + 12_582_912).bitPattern & 0x7F_FFFF) - 0x40_0000
  }

  static func nearest(_ value: Float, in range: ClosedRange<Int32>) -> Int32 {
    max(range.lowerBound, min(range.upperBound, nearest(value)))
  }

  /// Towards zero; the smallest Int32 for NaN and what doesn't fit.
  static func truncated(_ value: Float) -> Int32 { value.magnitude < 0x1p31 ? Int32(value) : .min }

  /// To nearest, ties away from zero; the smallest Int32 for NaN and what doesn't fit.
  static func awayFromZero(_ value: Float) -> Int32 { truncated(value.rounded(.toNearestOrAwayFromZero)) }

  /// The reciprocal, or 0 of 0.
  static func reciprocal(_ value: Float) -> Float { value == 0 ? 0 : 1 / value }
}
