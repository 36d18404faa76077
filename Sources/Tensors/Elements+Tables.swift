extension Elements {
  /// The F32 value of every code of a dtype of at most 8 bits, by code; empty for wider types. NaN codes give the quiet
  /// NaN with the sign of the code.
  public static func table(_ dtype: DType) -> [Float] { tables[dtype] ?? [] }

  private static let tables: [DType: [Float]] = {
    var tables: [DType: [Float]] = [:]
    for dtype in DType.allCases where dtype.bits <= 8 { tables[dtype] = makeTable(dtype) }
    return tables
  }()

  private static func makeTable(_ dtype: DType) -> [Float] {
    guard let reading = ElementKind(dtype), let single = FloatFormat(.f32) else { return [] }
    return (0..<(UInt64(1) << UInt64(dtype.bits))).map { code in
      Float(bitPattern: UInt32(single.encode(reading.decode(code))))
    }
  }
}
