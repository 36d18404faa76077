import CKernels

/// The float types that scales and biases are stored in, little-endian.
public enum ScalarFloat: String, Sendable, CaseIterable {
  case f16 = "F16"
  case bf16 = "BF16"
  case f32 = "F32"

  /// Bytes of one value.
  public var bytes: Int { self == .f32 ? 4 : 2 }

  /// The value with this index in a plane.
  public func load(_ plane: UnsafeRawBufferPointer, _ index: Int) -> Float {
    switch self {
    case .f16: Float(f16: UInt16(littleEndian: plane.loadUnaligned(fromByteOffset: index * 2, as: UInt16.self)))
    case .bf16:
      Float(
        bitPattern: UInt32(UInt16(littleEndian: plane.loadUnaligned(fromByteOffset: index * 2, as: UInt16.self))) << 16)
    case .f32:
      Float(bitPattern: UInt32(littleEndian: plane.loadUnaligned(fromByteOffset: index * 4, as: UInt32.self)))
    }
  }

  /// Stores the nearest value, ties to even.
  func store(_ value: Float, _ plane: UnsafeMutableRawBufferPointer, _ index: Int) {
    switch self {
    case .f16: plane.storeBytes(of: value.roundedToF16.littleEndian, toByteOffset: index * 2, as: UInt16.self)
    case .bf16: plane.storeBytes(of: value.roundedToBF16.littleEndian, toByteOffset: index * 2, as: UInt16.self)
    case .f32: plane.storeBytes(of: value.bitPattern.littleEndian, toByteOffset: index * 4, as: UInt32.self)
    }
  }

  /// The nearest value that the type holds, ties to even.
  public func rounded(_ value: Float) -> Float {
    switch self {
    case .f16: value.roundedToHalf
    case .bf16: Float(bitPattern: UInt32(value.roundedToBF16) << 16)
    case .f32: value
    }
  }
}

extension Float {
  /// The value of F16 bits. Swift's own Float16 goes through a slow library call where F16C isn't assumed.
  init(f16 bits: UInt16) {
    var value: Float = 0
    withUnsafePointer(to: bits) { bale_f16_to_f32($0, &value, 1) }
    self = value
  }

  /// The nearest value of F16, ties to even.
  fileprivate var roundedToHalf: Float {
    let magnitude = bitPattern & 0x7FFF_FFFF
    // From the smallest normal number to those that round to infinity, without a call.
    guard magnitude >= 0x3880_0000, magnitude < 0x477F_F000 else { return Float(f16: roundedToF16) }
    return Float(bitPattern: (bitPattern &+ 0xFFF &+ (bitPattern >> 13 & 1)) & ~0x1FFF)
  }

  /// The bits of the nearest F16, ties to even.
  var roundedToF16: UInt16 {
    var bits: UInt16 = 0
    withUnsafePointer(to: self) { bale_f32_to_f16($0, &bits, 1) }
    return bits
  }

  /// The bits of the nearest BF16, ties to even. NaN stays NaN, with its sign.
  var roundedToBF16: UInt16 {
    if isNaN { return UInt16(truncatingIfNeeded: bitPattern >> 16) | 0x0040 }
    let odd = (bitPattern >> 16) & 1
    return UInt16(truncatingIfNeeded: (bitPattern &+ 0x7FFF &+ odd) >> 16)
  }
}
