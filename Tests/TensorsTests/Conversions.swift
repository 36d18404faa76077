import Tensors

/// Conversions of whole arrays of codes, one code an integer, for tests.
enum Conversions {
  /// `codes` of `source` converted to codes of `target`. The count must fill bytes in both.
  static func convert(
    _ codes: [UInt64], from source: DType, to target: DType, reference: Bool = false
  ) throws -> [UInt64] {
    let result = try convert(
      bytes: pack(codes, source), count: codes.count, from: source, to: target, reference: reference)
    return unpack(result, target, count: codes.count)
  }

  /// The same on packed bytes.
  static func convert(
    bytes: [UInt8], count: Int, from source: DType, to target: DType, reference: Bool = false
  ) throws -> [UInt8] {
    var result = [UInt8](repeating: 0xA5, count: count * target.bits / 8)
    try bytes.withUnsafeBytes { input in
      try result.withUnsafeMutableBytes { output in
        if reference {
          try Elements.convertReference(from: source, to: target, source: input, destination: output, count: count)
        } else {
          try Elements.convert(from: source, to: target, source: input, destination: output, count: count)
        }
      }
    }
    return result
  }

  /// Element `i` at bit `i * bits` of a little-endian bit stream: says the same as the packing of every dtype.
  static func pack(_ codes: [UInt64], _ dtype: DType) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(codes.count * dtype.bits / 8)
    var (pending, bits): (UInt64, Int) = (0, 0)
    for code in codes {
      if dtype.bits >= 8 {
        for shift in stride(from: 0, to: dtype.bits, by: 8) {
          bytes.append(UInt8(truncatingIfNeeded: code >> UInt64(shift)))
        }
        continue
      }
      pending |= code << UInt64(bits)
      bits += dtype.bits
      while bits >= 8 {
        bytes.append(UInt8(truncatingIfNeeded: pending))
        pending >>= 8
        bits -= 8
      }
    }
    return bytes
  }

  static func unpack(_ bytes: [UInt8], _ dtype: DType, count: Int) -> [UInt64] {
    (0..<count).map { index in
      guard dtype.bits < 8 else {
        let size = dtype.bits / 8
        return bytes[index * size..<(index + 1) * size].reversed().reduce(0) { $0 << 8 | UInt64($1) }
      }
      return (0..<dtype.bits).reduce(UInt64(0)) { code, bit in
        let position = index * dtype.bits + bit
        return code | UInt64(bytes[position / 8] >> UInt8(position % 8) & 1) << UInt64(bit)
      }
    }
  }

  static func one(_ code: UInt64, from source: DType, to target: DType) throws -> UInt64 {
    try convert([code, 0, 0, 0], from: source, to: target)[0]
  }

  static func one(_ value: Double, to target: DType) throws -> UInt64 {
    try one(value.bitPattern, from: .f64, to: target)
  }
}
