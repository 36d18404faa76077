extension FloatFormat {
  /// What a code stands for. Bits above the type's own are ignored.
  func decode(_ code: UInt64) -> ExactNumber {
    let magnitude = code & magnitudeMask
    let mantissa = code & mantissaMask
    let field = Int(magnitude &>> UInt64(mantissaBits))
    let negative = code & signBit != 0
    if isNaN(magnitude, negative: negative) {
      let payload = keepsPayload ? mantissa &<< UInt64(64 - mantissaBits) : ExactNumber.quiet
      return ExactNumber(.notANumber, negative: negative, significand: payload)
    }
    if specials == .infinityAndNaN && magnitude == infinity { return ExactNumber(.infinite, negative: negative) }
    if hasSignAndZero && field == 0 {
      return ExactNumber(.finite, negative: negative, significand: mantissa, exponent: smallestExponent)
    }
    return ExactNumber(
      .finite, negative: negative, significand: mantissa | 1 &<< UInt64(mantissaBits),
      exponent: field - bias - mantissaBits)
  }

  private func isNaN(_ magnitude: UInt64, negative: Bool) -> Bool {
    switch specials {
    case .infinityAndNaN: magnitude > infinity
    case .nanOnAllOnes: magnitude == magnitudeMask
    case .nanOnNegativeZero: magnitude == 0 && negative
    case .none: false
    }
  }

  /// The code of a number: rounded to nearest, ties to even, with the type's overflow policy.
  func encode(_ number: ExactNumber) -> UInt64 {
    guard hasSignAndZero else { return encodePowerOfTwo(number) }
    switch number.kind {
    case .notANumber: return nan(number)
    case .infinite: return overflowed(negative: number.negative)
    case .finite:
      let magnitude = magnitudeCode(number)
      guard magnitude <= largest else { return overflowed(negative: number.negative) }
      if magnitude == 0 && specials == .nanOnNegativeZero { return 0 }
      return magnitude | (number.negative ? signBit : 0)
    }
  }

  /// Exponent field and mantissa as one integer. A carry out of the mantissa steps into the exponent by itself, and
  /// the result may be larger than `largest`.
  private func magnitudeCode(_ number: ExactNumber) -> UInt64 {
    guard number.significand != 0 else { return 0 }
    let leading = 63 - number.significand.leadingZeroBitCount + number.exponent
    let unit = max(leading - mantissaBits, smallestExponent)
    let rounded = number.roundedSignificand(shift: unit - number.exponent)
    return UInt64(unit - smallestExponent) &<< UInt64(mantissaBits) + rounded
  }

  private func overflowed(negative: Bool) -> UInt64 {
    let sign = negative ? signBit : 0
    switch overflow {
    case .infinity: return infinity | sign
    case .saturate: return largest | sign
    case .notANumber: return nan(ExactNumber(.notANumber, negative: negative, significand: ExactNumber.quiet))
    }
  }

  private func nan(_ number: ExactNumber) -> UInt64 {
    let sign = number.negative ? signBit : 0
    switch specials {
    case .infinityAndNaN:
      let quiet = UInt64(1) &<< UInt64(mantissaBits - 1)
      let payload = keepsPayload ? number.significand &>> UInt64(64 - mantissaBits) : quiet
      return infinity | (payload == 0 ? quiet : payload) | sign
    case .nanOnAllOnes: return magnitudeMask | sign
    case .nanOnNegativeZero, .none: return magnitudeMask + 1
    }
  }

  /// E8M0: zero and all that is too small become the smallest power of two; what is negative, too large or not a
  /// number becomes NaN. The tie, 1.5 times a power of two, goes up, as 1 is odd.
  private func encodePowerOfTwo(_ number: ExactNumber) -> UInt64 {
    guard number.kind == .finite else { return magnitudeMask }
    guard number.significand != 0 else { return 0 }
    guard !number.negative else { return magnitudeMask }
    let leading = 63 - number.significand.leadingZeroBitCount
    let up = number.roundedSignificand(shift: leading) > 1 ? 1 : 0
    return UInt64(min(max(leading + number.exponent + up + bias, 0), Int(magnitudeMask)))
  }
}
