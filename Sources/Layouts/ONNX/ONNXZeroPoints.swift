import ByteIO
import Codecs
import ONNX
import Tensors

/// Zero points of `DequantizeLinear` as the encodings have them: none, a byte each, or for codes of 16 bits a float.
/// Signed codes with zero points become unsigned ones, both moved by half of their range.
struct ONNXZeroPoints {
  let zero: IntegersCodec.Zero
  /// One for each scale, in their order; nil where there are none.
  let bytes: [UInt8]?
  private let codes: ONNXTensor

  /// Bytes of one.
  var width: Int { if case .point = zero { 4 } else { 1 } }

  init(_ zeros: ONNXOperand?, codes: ONNXTensor, count: Int, _ operands: ONNXOperands) throws {
    self.codes = codes
    if let zeros, zeros.tensor.type != codes.type || zeros.tensor.elements != count {
      throw operands.stored.fault(
        .shape(
          stored: zeros.name, found: zeros.tensor.dimensions, expected: "\(count) numbers of the type of the codes"),
        codes.name)
    }
    let stored = try zeros.map { try operands.bytes($0) }
    let isZero = stored?.allSatisfy { $0 == 0 } ?? true
    if isZero, codes.type.isSigned {
      (zero, bytes) = (.none, nil)
      return
    }
    let bits = codes.type.bits
    guard bits < 32 else {
      throw operands.stored.fault(
        .unreadable(layout: "codes of 32 bits with zero points", remedy: "pack it as it is"), codes.name)
    }
    let points = (0..<count).map { index in
      stored.map { Self.field($0, index, bits: bits) ^ (codes.type.isSigned ? 1 << UInt32(bits - 1) : 0) } ?? 0
    }
    if bits == 16 {
      zero = .point(.f32)
      bytes = points.flatMap { point in
        let bits = Float(point).bitPattern
        return (0..<4).map { UInt8(truncatingIfNeeded: bits >> (8 * UInt32($0))) }
      }
    } else {
      zero = .code
      bytes = points.map { UInt8(truncatingIfNeeded: $0) }
    }
  }

  /// A field of a little-endian bit stream; `bits` divide a byte or make up two.
  private static func field(_ bytes: [UInt8], _ index: Int, bits: Int) -> UInt32 {
    if bits == 16 { return UInt32(bytes[index * 2]) | UInt32(bytes[index * 2 + 1]) << 8 }
    let bit = index * bits
    return UInt32(bytes[bit / 8]) >> UInt32(bit % 8) & (1 << UInt32(bits) - 1)
  }

  /// How the plane of codes follows from the stored codes.
  func codeForm(_ shape: Shape) throws(CodecError) -> Arrangement.Form {
    guard zero != .none, codes.type.isSigned else { return .same }
    // Where rows don't end on a byte, all codes are one row.
    let bits = codes.type.bits
    let isAligned = shape.columns * bits % 8 == 0
    return .packed(
      try PackedFields(
        rows: isAligned ? shape.rows : 1, columns: isAligned ? shape.columns : shape.elements, field: bits,
        word: max(bits, 8), change: .flip(1 << UInt32(bits - 1))))
  }
}
