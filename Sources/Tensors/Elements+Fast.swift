import CKernels

// The conversions that models are made of, to F32 and from F32. A source type that F32 holds exactly goes through it,
// in tiles that stay in the first-level cache.
extension Elements {
  private static let tile = 4096

  static func convertThroughF32(
    from sourceType: DType, to targetType: DType, _ source: UnsafeRawBufferPointer,
    _ destination: UnsafeMutableRawBufferPointer, _ count: Int
  ) {
    if targetType == .f32 { return widen(sourceType, source, destination, count) }
    if sourceType == .f32 { return round(source, targetType, destination, count) }
    withUnsafeTemporaryAllocation(of: Float.self, capacity: min(tile, count)) { tile in
      for start in stride(from: 0, to: count, by: Self.tile) {
        let elements = min(Self.tile, count - start)
        let values = UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(tile)[..<(elements * 4)])
        widen(sourceType, source.elements(start, elements, sourceType), values, elements)
        let target = destination.elements(start, elements, targetType)
        round(UnsafeRawBufferPointer(values), targetType, target, elements)
      }
    }
  }

  /// To F32, from a type whose values it holds exactly.
  private static func widen(
    _ dtype: DType, _ source: UnsafeRawBufferPointer, _ values: UnsafeMutableRawBufferPointer, _ count: Int
  ) {
    guard let from = source.baseAddress, let to = values.baseAddress else { return }
    switch dtype {
    case .bf16: bale_bf16_to_f32(from, to, count)
    case .f16: bale_f16_to_f32(from, to, count)
    case .i16:
      for index in 0..<count { values.store(Float(source.load(index, Int16.self)), index) }
    case .u16:
      for index in 0..<count { values.store(Float(source.load(index, UInt16.self)), index) }
    default:
      table(dtype).withUnsafeBufferPointer { table in
        if dtype.bits == 8, let base = table.baseAddress { return bale_bytes_to_f32(from, base, to, count) }
        for index in 0..<count {
          values.store(table[Int(ElementCodes.load(dtype.bits, at: index, from: source))], index)
        }
      }
    }
  }

  /// From F32 to any real type.
  private static func round(
    _ values: UnsafeRawBufferPointer, _ dtype: DType, _ destination: UnsafeMutableRawBufferPointer, _ count: Int
  ) {
    guard let from = values.baseAddress, let to = destination.baseAddress else { return }
    switch dtype {
    case .bf16: bale_f32_to_bf16(from, to, count)
    case .f16: bale_f32_to_f16(from, to, count)
    default:
      if let format = FloatFormat(dtype), format.hasSignAndZero, dtype.bits <= 8 {
        return roundSmall(from, dtype, format.small, destination, count)
      }
      convertOneByOne(from: .f32, to: dtype, values, destination, count)
    }
  }

  private static func roundSmall(
    _ values: UnsafeRawPointer, _ dtype: DType, _ format: bale_small_float,
    _ destination: UnsafeMutableRawBufferPointer, _ count: Int
  ) {
    guard dtype.bits < 8, let bytes = destination.baseAddress else {
      if let bytes = destination.baseAddress { bale_f32_to_small(values, bytes, count, format) }
      return
    }
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: min(tile, count)) { codes in
      for start in stride(from: 0, to: count, by: tile) {
        let elements = min(tile, count - start)
        bale_f32_to_small(values + start * 4, codes.baseAddress, elements, format)
        let packed = UnsafeMutableRawBufferPointer(
          start: bytes + start * dtype.bits / 8, count: elements * dtype.bits / 8)
        for index in 0..<elements { ElementCodes.store(UInt64(codes[index]), dtype.bits, at: index, in: packed) }
      }
    }
  }
}

extension FloatFormat {
  fileprivate var small: bale_small_float {
    bale_small_float(
      mantissa_bits: UInt32(mantissaBits), bias: UInt32(bias), sign: UInt32(signBit),
      sign_of_zero: specials == .nanOnNegativeZero ? 0 : UInt32(signBit), largest: UInt32(largest),
      overflow: UInt32(encode(ExactNumber(.infinite, negative: false))),
      nan: UInt32(encode(ExactNumber(.notANumber, negative: false, significand: ExactNumber.quiet))))
  }
}

extension UnsafeRawBufferPointer {
  fileprivate func load<T: FixedWidthInteger & BitwiseCopyable>(_ index: Int, _: T.Type) -> T {
    T(littleEndian: loadUnaligned(fromByteOffset: index * MemoryLayout<T>.size, as: T.self))
  }

  /// `count` elements from `start`, which is on a byte.
  fileprivate func elements(_ start: Int, _ count: Int, _ dtype: DType) -> UnsafeRawBufferPointer {
    let first = start * dtype.bits / 8
    return UnsafeRawBufferPointer(rebasing: self[first..<(first + count * dtype.bits / 8)])
  }
}

extension UnsafeMutableRawBufferPointer {
  fileprivate func store(_ value: Float, _ index: Int) {
    storeBytes(of: value, toByteOffset: index * 4, as: Float.self)
  }

  fileprivate func elements(_ start: Int, _ count: Int, _ dtype: DType) -> UnsafeMutableRawBufferPointer {
    let first = start * dtype.bits / 8
    return UnsafeMutableRawBufferPointer(rebasing: self[first..<(first + count * dtype.bits / 8)])
  }
}
