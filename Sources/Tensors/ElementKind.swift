/// How the codes of a real dtype are read and written.
enum ElementKind {
  case float(FloatFormat)
  case signed(bits: Int)
  case unsigned(bits: Int)
  case boolean

  /// Nil for C64, which isn't real.
  init?(_ dtype: DType) {
    switch dtype {
    case .bool: self = .boolean
    case .i8, .i16, .i32, .i64: self = .signed(bits: dtype.bits)
    case .u8, .u16, .u32, .u64: self = .unsigned(bits: dtype.bits)
    case .c64: return nil
    default:
      guard let format = FloatFormat(dtype) else { return nil }
      self = .float(format)
    }
  }

  func decode(_ code: UInt64) -> ExactNumber {
    switch self {
    case .float(let format): return format.decode(code)
    case .unsigned: return ExactNumber(negative: false, magnitude: code)
    case .boolean: return ExactNumber(negative: false, magnitude: code == 0 ? 0 : 1)
    case .signed(let bits):
      let unused = 64 - bits
      let value = Int64(truncatingIfNeeded: code &<< UInt64(unused)) &>> Int64(unused)
      return ExactNumber(negative: value < 0, magnitude: value.magnitude)
    }
  }

  /// Integers take the number without its fraction, or the nearest they have; NaN is 0. A boolean is true for all but
  /// zero.
  func encode(_ number: ExactNumber) -> UInt64 {
    switch self {
    case .float(let format): return format.encode(number)
    case .boolean: return number.kind == .finite && number.significand == 0 ? 0 : 1
    case .unsigned(let bits):
      return number.negative ? 0 : Self.magnitude(number, limit: bits == 64 ? .max : (1 &<< UInt64(bits)) - 1)
    case .signed(let bits):
      let limit = (UInt64(1) &<< UInt64(bits - 1)) - (number.negative ? 0 : 1)
      let magnitude = Self.magnitude(number, limit: limit)
      let mask = UInt64.max &>> UInt64(64 - bits)
      return (number.negative ? 0 &- magnitude : magnitude) & mask
    }
  }

  private static func magnitude(_ number: ExactNumber, limit: UInt64) -> UInt64 {
    switch number.kind {
    case .notANumber: 0
    case .infinite: limit
    case .finite: min(number.truncatedMagnitude ?? limit, limit)
    }
  }
}
