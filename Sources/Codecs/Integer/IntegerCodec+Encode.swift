extension IntegerCodec {
  public func encode(
    _ values: UnsafeBufferPointer<Float>, columns: Int, rule: ScaleRule,
    into planes: [UnsafeMutableRawBufferPointer]
  ) throws(CodecError) {
    try IntegerEncoder<PlainGroupKernel>(self, values, columns: columns, rule: rule, into: planes)
      .encode(columns: columns)
  }
}
