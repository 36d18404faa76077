import Tensors

/// Numbers of the source dtypes in tensor rows: specs/bale.md, "Dtype codes". 0 is "none".
enum DTypeCode {
  private static let types: [DType] = [
    .bool, .f4, .f6e2m3, .f6e3m2, .u8, .i8, .f8e5m2, .f8e4m3, .f8e8m0, .f8e4m3fnuz, .f8e5m2fnuz, .i16, .u16, .f16,
    .bf16, .i32, .u32, .f32, .c64, .f64, .i64, .u64,
  ]

  static let count = types.count + 1

  static func code(_ dtype: DType?) -> UInt8 {
    guard let dtype, let index = types.firstIndex(of: dtype) else { return 0 }
    return UInt8(index + 1)
  }

  static func dtype(_ code: UInt8) -> DType? {
    code > 0 && Int(code) < count ? types[Int(code) - 1] : nil
  }
}
