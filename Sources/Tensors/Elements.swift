import ByteIO

/// Conversion of elements between dtypes, with one rounding, to nearest, ties to even, from the source type straight
/// to the target type. What is too large, and NaN, follow the target's policy: specs/codecs/plain.md, "Conversion".
public enum Elements {
  /// Whether there is a conversion. Complex numbers convert to nothing but themselves.
  public static func canConvert(from source: DType, to target: DType) -> Bool {
    source == target || (source != .c64 && target != .c64)
  }

  /// Converts `count` elements. Throws `ElementError` if a buffer isn't exactly as long as the elements, or there is no
  /// conversion.
  public static func convert(
    from sourceType: DType, to targetType: DType, source: UnsafeRawBufferPointer,
    destination: UnsafeMutableRawBufferPointer, count: Int
  ) throws(ElementError) {
    if try copies(from: sourceType, to: targetType, source, destination, count) { return }
    if targetType == .f32 {
      toF32(sourceType, source, destination, count)
    } else if sourceType == .f32 {
      fromF32(source, targetType, destination, count)
    } else if isExact(from: sourceType, to: .f32) {
      convertThroughF32(from: sourceType, to: targetType, source, destination, count)
    } else {
      convertOneByOne(from: sourceType, to: targetType, source, destination, count)
    }
  }

  /// The same, one element after the other through its exact value: what the fast conversions are tested against.
  public static func convertReference(
    from sourceType: DType, to targetType: DType, source: UnsafeRawBufferPointer,
    destination: UnsafeMutableRawBufferPointer, count: Int
  ) throws(ElementError) {
    if try copies(from: sourceType, to: targetType, source, destination, count) { return }
    convertOneByOne(from: sourceType, to: targetType, source, destination, count)
  }

  /// Checks the buffers and the types, and copies elements that stay as they are; false for those to be converted.
  private static func copies(
    from sourceType: DType, to targetType: DType, _ source: UnsafeRawBufferPointer,
    _ destination: UnsafeMutableRawBufferPointer, _ count: Int
  ) throws(ElementError) -> Bool {
    try check(sourceType, source.count, count)
    try check(targetType, destination.count, count)
    guard canConvert(from: sourceType, to: targetType) else {
      throw .unsupported(from: sourceType, to: targetType)
    }
    guard sourceType == targetType else { return false }
    destination.copyMemory(from: source)
    return true
  }

  static func convertOneByOne(
    from sourceType: DType, to targetType: DType, _ source: UnsafeRawBufferPointer,
    _ destination: UnsafeMutableRawBufferPointer, _ count: Int
  ) {
    guard let reading = ElementKind(sourceType), let writing = ElementKind(targetType) else { return }
    for index in 0..<count {
      let code = ElementCodes.load(sourceType.bits, at: index, from: source)
      ElementCodes.store(writing.encode(reading.decode(code)), targetType.bits, at: index, in: destination)
    }
  }

  /// Converts all of `bytes` to F32. Throws `ElementError` if they aren't exactly the elements that `values` holds.
  public static func decode(
    _ dtype: DType, _ bytes: UnsafeRawBufferPointer, into values: UnsafeMutableBufferPointer<Float>
  ) throws(ElementError) {
    try convert(
      from: dtype, to: .f32, source: bytes, destination: UnsafeMutableRawBufferPointer(values), count: values.count)
  }

  /// Converts F32 `values`. Throws `ElementError` if `bytes` aren't exactly as long as the elements.
  public static func encode(
    _ values: UnsafeBufferPointer<Float>, _ dtype: DType, into bytes: UnsafeMutableRawBufferPointer
  ) throws(ElementError) {
    try convert(
      from: .f32, to: dtype, source: UnsafeRawBufferPointer(values), destination: bytes, count: values.count)
  }

  private static func check(_ dtype: DType, _ bytes: Int, _ count: Int) throws(ElementError) {
    guard count >= 0, dtype.bytes(elements: count) == bytes else {
      throw .size(dtype, elements: count, bytes: bytes)
    }
  }
}
