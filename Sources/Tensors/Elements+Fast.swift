import CKernels

// The conversions that models are made of: to F32 and from F32.
extension Elements {
  private static let tile = 4096

  /// From a type that F32 holds exactly, in tiles that stay in the first-level cache.
  static func convertThroughF32(
    from sourceType: DType, to targetType: DType, _ source: UnsafeRawBufferPointer,
    _ destination: UnsafeMutableRawBufferPointer, _ count: Int
  ) {
    withUnsafeTemporaryAllocation(of: Float.self, capacity: min(tile, count)) { tile in
      for start in stride(from: 0, to: count, by: Self.tile) {
        let elements = min(Self.tile, count - start)
        let values = UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(tile)[..<(elements * 4)])
        toF32(sourceType, source.elements(start, elements, sourceType), values, elements)
        let target = destination.elements(start, elements, targetType)
        fromF32(UnsafeRawBufferPointer(values), targetType, target, elements)
      }
    }
  }

  /// To F32 from any real type, rounded by the processor where F32 doesn't hold the value.
  static func toF32(
    _ dtype: DType, _ source: UnsafeRawBufferPointer, _ values: UnsafeMutableRawBufferPointer, _ count: Int
  ) {
    guard let from = source.baseAddress, let to = values.baseAddress else { return }
    switch dtype {
    case .bf16: bale_bf16_to_f32(from, to, count)
    case .f16: bale_f16_to_f32(from, to, count)
    case .f64: narrow(source, values, count)
    case .i16: toF32(from: Int16.self, source, values, count)
    case .u16: toF32(from: UInt16.self, source, values, count)
    case .i32: toF32(from: Int32.self, source, values, count)
    case .u32: toF32(from: UInt32.self, source, values, count)
    case .i64: toF32(from: Int64.self, source, values, count)
    case .u64: toF32(from: UInt64.self, source, values, count)
    default: look(up: dtype, source, values, count)
    }
  }

  private static func toF32<T: FixedWidthInteger & BitwiseCopyable>(
    from: T.Type, _ source: UnsafeRawBufferPointer, _ values: UnsafeMutableRawBufferPointer, _ count: Int
  ) {
    for index in 0..<count { values.store(Float(source.load(index, T.self)), index) }
  }

  /// F64 to F32. The processor would make every NaN quiet: those go the plain way.
  private static func narrow(
    _ source: UnsafeRawBufferPointer, _ values: UnsafeMutableRawBufferPointer, _ count: Int
  ) {
    for index in 0..<count {
      let value = Double(bitPattern: source.load(index, UInt64.self))
      if value.isNaN {
        convertOneByOne(
          from: .f64, to: .f32, source.elements(index, 1, .f64), values.elements(index, 1, .f32), 1)
      } else {
        values.store(Float(value), index)
      }
    }
  }

  /// F32 to F64, likewise.
  private static func widen(
    _ values: UnsafeRawBufferPointer, _ destination: UnsafeMutableRawBufferPointer, _ count: Int
  ) {
    for index in 0..<count {
      let value = Float(bitPattern: values.load(index, UInt32.self))
      if value.isNaN {
        convertOneByOne(
          from: .f32, to: .f64, values.elements(index, 1, .f32), destination.elements(index, 1, .f64), 1)
      } else {
        destination.storeBytes(of: Double(value), toByteOffset: index * 8, as: Double.self)
      }
    }
  }

  /// To F32 from a type of at most 8 bits.
  private static func look(
    up dtype: DType, _ source: UnsafeRawBufferPointer, _ values: UnsafeMutableRawBufferPointer, _ count: Int
  ) {
    guard let from = source.baseAddress, let to = values.baseAddress else { return }
    table(dtype).withUnsafeBufferPointer { table in
      guard let base = table.baseAddress else { return }
      switch dtype.bits {
      case 8: bale_bytes_to_f32(from, base, to, count)
      case 4: bale_nibbles_to_f32(from, base, to, count)
      default:
        for index in 0..<count {
          values.store(table[Int(ElementCodes.load(dtype.bits, at: index, from: source))], index)
        }
      }
    }
  }

  /// From F32 to any real type.
  static func fromF32(
    _ values: UnsafeRawBufferPointer, _ dtype: DType, _ destination: UnsafeMutableRawBufferPointer, _ count: Int
  ) {
    guard let from = values.baseAddress, let to = destination.baseAddress else { return }
    switch dtype {
    case .bf16: bale_f32_to_bf16(from, to, count)
    case .f16: bale_f32_to_f16(from, to, count)
    case .f64: widen(values, destination, count)
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
