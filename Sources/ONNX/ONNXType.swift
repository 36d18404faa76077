import Tensors

/// The element types of `TensorProto.DataType` whose elements have a size (onnx.proto).
public enum ONNXType: Int, Sendable, CaseIterable {
  case float = 1
  case uint8 = 2
  case int8 = 3
  case uint16 = 4
  case int16 = 5
  case int32 = 6
  case int64 = 7
  case bool = 9
  case float16 = 10
  case double = 11
  case uint32 = 12
  case uint64 = 13
  case complex64 = 14
  case complex128 = 15
  case bfloat16 = 16
  case float8e4m3fn = 17
  case float8e4m3fnuz = 18
  case float8e5m2 = 19
  case float8e5m2fnuz = 20
  case uint4 = 21
  case int4 = 22
  case float4e2m1 = 23
  case float8e8m0 = 24
  case uint2 = 25
  case int2 = 26

  public var bits: Int {
    switch self {
    case .uint2, .int2: 2
    case .uint4, .int4, .float4e2m1: 4
    case .complex128: 128
    default: dtype?.bits ?? 8
    }
  }

  /// The plain type of the same elements; nil for integers narrower than a byte and for wide complex numbers.
  public var dtype: DType? {
    switch self {
    case .float: .f32
    case .uint8: .u8
    case .int8: .i8
    case .uint16: .u16
    case .int16: .i16
    case .int32: .i32
    case .int64: .i64
    case .bool: .bool
    case .float16: .f16
    case .double: .f64
    case .uint32: .u32
    case .uint64: .u64
    case .complex64: .c64
    case .bfloat16: .bf16
    case .float8e4m3fn: .f8e4m3
    case .float8e4m3fnuz: .f8e4m3fnuz
    case .float8e5m2: .f8e5m2
    case .float8e5m2fnuz: .f8e5m2fnuz
    case .float4e2m1: .f4
    case .float8e8m0: .f8e8m0
    case .complex128, .uint4, .int4, .uint2, .int2: nil
    }
  }

  /// True for integers in two's complement.
  public var isSigned: Bool {
    switch self {
    case .int8, .int16, .int32, .int64, .int4, .int2: true
    default: false
    }
  }

  /// Bits of a quantized integer's code; nil for what isn't one.
  public var codeBits: Int? {
    switch self {
    case .uint8, .int8, .uint16, .int16, .int32, .uint4, .int4, .uint2, .int2: bits
    default: nil
    }
  }
}
