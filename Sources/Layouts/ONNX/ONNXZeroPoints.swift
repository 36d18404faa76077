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
    let points = try Self.integers(zeros, type: codes.type, count: count, operands, of: codes.name)
    let bits = codes.type.bits
    if codes.type.isSigned, points.allSatisfy({ $0 == 1 << UInt32(bits - 1) }) {
      (zero, bytes) = (.none, nil)
      return
    }
    guard bits < 32 else {
      throw operands.stored.fault(
        .unreadable(layout: "codes of 32 bits with zero points", remedy: "pack it as it is"), codes.name)
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

  /// Zero points counted from the least code of their type, one for each of `count` scales; without a tensor of them
  /// what stands for 0.
  static func integers(
    _ zeros: ONNXOperand?, type: ONNXType, count: Int, _ operands: ONNXOperands, of logical: String
  ) throws -> [UInt32] {
    let half: UInt32 = type.isSigned ? 1 << UInt32(type.bits - 1) : 0
    guard let zeros else { return [UInt32](repeating: half, count: count) }
    guard zeros.tensor.type == type, zeros.tensor.elements == count else {
      throw operands.stored.fault(
        .shape(
          stored: zeros.name, found: zeros.tensor.dimensions, expected: "\(count) numbers of the type of the codes"),
        logical)
    }
    let bytes = try operands.bytes(zeros)
    return (0..<count).map { field(bytes, $0, bits: type.bits) ^ half }
  }

  /// A field of a little-endian bit stream; `bits` divide a byte or make up two or four.
  private static func field(_ bytes: [UInt8], _ index: Int, bits: Int) -> UInt32 {
    if bits >= 16 {
      let size = bits / 8
      return (0..<size).reduce(0) { $0 | UInt32(bytes[index * size + $1]) << UInt32(8 * $1) }
    }
    let bit = index * bits
    return UInt32(bytes[bit / 8]) >> UInt32(bit % 8) & (1 << UInt32(bits) - 1)
  }

  /// How a plane of zero points, a byte each, follows from the stored ones.
  func form(of zeros: ONNXTensor) throws(CodecError) -> Arrangement.Form {
    let (bits, last) = (codes.type.bits, zeros.dimensions.last ?? 1)
    let isAligned = last > 0 && last * bits % 8 == 0
    return .packed(
      try PackedFields(
        rows: isAligned ? zeros.elements / last : 1, columns: isAligned ? last : zeros.elements, field: 8, bits: bits,
        word: 8, change: codes.type.isSigned ? .flip(1 << UInt32(bits - 1)) : .none))
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
