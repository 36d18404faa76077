import ByteIO

/// The plain element types: the 22 of safetensors 0.8.0, under its names and in its order, which is the order that
/// its writer sorts by (reversed).
public enum DType: String, Sendable, CaseIterable, Hashable {
  case bool = "BOOL"
  case f4 = "F4"
  case f6e2m3 = "F6_E2M3"
  case f6e3m2 = "F6_E3M2"
  case u8 = "U8"
  case i8 = "I8"
  case f8e5m2 = "F8_E5M2"
  case f8e4m3 = "F8_E4M3"
  case f8e8m0 = "F8_E8M0"
  case f8e4m3fnuz = "F8_E4M3FNUZ"
  case f8e5m2fnuz = "F8_E5M2FNUZ"
  case i16 = "I16"
  case u16 = "U16"
  case f16 = "F16"
  case bf16 = "BF16"
  case i32 = "I32"
  case u32 = "U32"
  case f32 = "F32"
  case c64 = "C64"
  case f64 = "F64"
  case i64 = "I64"
  case u64 = "U64"

  /// Bits an element takes.
  public var bits: Int {
    switch self {
    case .f4: 4
    case .f6e2m3, .f6e3m2: 6
    case .bool, .u8, .i8, .f8e5m2, .f8e4m3, .f8e8m0, .f8e4m3fnuz, .f8e5m2fnuz: 8
    case .i16, .u16, .f16, .bf16: 16
    case .i32, .u32, .f32: 32
    case .c64, .f64, .i64, .u64: 64
    }
  }

  /// True for the types that hold real numbers with an exponent.
  public var isFloat: Bool {
    switch self {
    case .f4, .f6e2m3, .f6e3m2, .f8e5m2, .f8e4m3, .f8e8m0, .f8e4m3fnuz, .f8e5m2fnuz, .f16, .bf16, .f32, .f64: true
    case .bool, .u8, .i8, .i16, .u16, .i32, .u32, .c64, .i64, .u64: false
    }
  }

  /// Bytes that `elements` elements take, or nil if they don't end on a byte or the count overflows.
  public func bytes(elements: Int) -> Int? {
    if bits >= 8 { return elements.multiplied(by: bits / 8) }
    guard let total = elements.multiplied(by: bits), total % 8 == 0 else { return nil }
    return total / 8
  }
}
