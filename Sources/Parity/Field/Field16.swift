import CKernels

/// GF(2^16): polynomials over two elements modulo x^16 + x^12 + x^3 + x + 1. Addition is exclusive or.
public enum Field16 {
  /// The modulus without its leading term.
  static let modulus: UInt16 = 0x100B

  /// The product by shifts and additions.
  public static func multiply(_ a: UInt16, _ b: UInt16) -> UInt16 {
    var product: UInt16 = 0
    var power = a
    for bit in 0..<16 {
      if b >> UInt16(bit) & 1 == 1 { product ^= power }
      power = power << 1 ^ (power & 0x8000 == 0 ? 0 : modulus)
    }
    return product
  }

  /// Bytes of the groups that elements lie in.
  public static let groupBytes = 128

  /// target += factor * source over whole groups of 128 bytes, in which byte i is the low and byte 64 + i the high
  /// byte of element i. The pointers' counts are equal.
  static func add(
    _ source: UnsafeRawBufferPointer, times factor: UInt16, to target: UnsafeMutableRawBufferPointer
  ) {
    let from = source.bindMemory(to: UInt8.self)
    let to = target.bindMemory(to: UInt8.self)
    guard let from = from.baseAddress, let to = to.baseAddress else { return }
    bale_field16_add(to, from, min(source.count, target.count) / groupBytes, factor)
  }

  /// The same, element by element.
  static func addReference(
    _ source: UnsafeRawBufferPointer, times factor: UInt16, to target: UnsafeMutableRawBufferPointer
  ) {
    let half = groupBytes / 2
    for group in stride(from: 0, to: source.count, by: groupBytes) {
      for index in group..<group + half {
        let product = multiply(UInt16(source[index]) | UInt16(source[index + half]) << 8, factor)
        target[index] ^= UInt8(truncatingIfNeeded: product)
        target[index + half] ^= UInt8(truncatingIfNeeded: product >> 8)
      }
    }
  }
}
