extension Elements {
  /// Whether every value of `source` is a value of `target`, so that nothing is lost: each number, the sign of zero,
  /// infinities, and that NaN is NaN.
  public static func isExact(from source: DType, to target: DType) -> Bool {
    if source == target { return true }
    guard let reading = ElementKind(source), let writing = ElementKind(target) else { return false }
    switch (reading, writing) {
    case (.boolean, _): return target != .f8e8m0
    case (_, .boolean): return false
    case (.float(let source), .float(let target)): return target.holds(source)
    case (.float, _): return false
    case (.unsigned(let bits), .float(let format)): return format.holdsIntegers(bits: bits)
    case (.signed(let bits), .float(let format)): return format.holdsIntegers(bits: bits - 1)
    case (.unsigned(let bits), .unsigned(let room)): return bits <= room
    case (.unsigned(let bits), .signed(let room)): return bits < room
    case (.signed(let bits), .signed(let room)): return bits <= room
    case (.signed, .unsigned): return false
    }
  }

  /// Whether the dtype has a code for NaN.
  public static func hasNaN(_ dtype: DType) -> Bool {
    if let format = FloatFormat(dtype) { format.specials != .none } else { dtype == .c64 }
  }
}

extension FloatFormat {
  /// Whether all integers from 0 to 2^bits are numbers of this type; so are their negatives.
  fileprivate func holdsIntegers(bits: Int) -> Bool {
    hasSignAndZero && bits <= mantissaBits + 1 && bits <= largestExponent
  }

  /// floor(log2) of the largest number.
  private var largestExponent: Int { decode(largest).leadingExponent }

  fileprivate func holds(_ other: FloatFormat) -> Bool {
    let special =
      switch other.specials {
      case .infinityAndNaN: specials == .infinityAndNaN
      case .nanOnAllOnes, .nanOnNegativeZero: specials != .none
      case .none: true
      }
    let zeros = !other.hasSignAndZero || other.specials == .nanOnNegativeZero || specials != .nanOnNegativeZero
    return special && zeros && hasSignAndZero && mantissaBits >= other.mantissaBits
      && smallestExponent <= other.smallestExponent && holdsLargest(of: other)
  }

  private func holdsLargest(of other: FloatFormat) -> Bool {
    let number = other.decode(other.largest)
    return encode(number) <= largest && decode(encode(number)).equals(number)
  }
}

extension ExactNumber {
  /// floor(log2) of a finite number that isn't zero.
  var leadingExponent: Int { 63 - significand.leadingZeroBitCount + exponent }

  /// Whether two finite numbers that aren't zero have the same value.
  func equals(_ other: ExactNumber) -> Bool {
    negative == other.negative && leadingExponent == other.leadingExponent
      && significand << UInt64(significand.leadingZeroBitCount)
        == other.significand << UInt64(other.significand.leadingZeroBitCount)
  }
}
