import ByteIO
import Codecs
import ONNX
import Tensors

/// A weight that `DequantizeLinear` makes floats of: `(x - zero point) * scale` (onnx.ai, operator DequantizeLinear, up
/// to opset 25).
struct ONNXLinear {
  let node: ONNXNode
  let operands: ONNXOperands

  private var stored: StoredTensors { operands.stored }

  /// Nil where it isn't a tensor of the model that is dequantized. Throws `LayoutError`, `ONNXError` or `IOError`.
  func logical() throws -> LogicalTensor? {
    guard let codes = operands.operand(node, 0), codes.tensor.elements > 0, let name = node.input(1) else { return nil }
    guard let scales = operands.operand(node, 1) else {
      throw refusal("a weight whose scales '\(name)' are computed", codes)
    }
    let tensor = codes.tensor
    let grid = ScaleSharing(
      tensor.dimensions, scales: scales.tensor.dimensions, axis: node.integers["axis"] ?? 1,
      block: node.integers["block_size"] ?? 0)
    guard let grid else {
      throw stored.fault(
        .shape(
          stored: scales.name, found: scales.tensor.dimensions,
          expected: "what the axis and the blocks of \(tensor.dimensions) ask for"), tensor.name)
    }
    let shape = try stored.shape(tensor.dimensions, of: tensor.name)
    let zeros = operands.operand(node, 2)
    if node.input(2) != nil, zeros == nil { throw refusal("a weight whose zero points are computed", codes) }
    let parts =
      if tensor.type.codeBits != nil {
        try integers(codes, scales, zeros, grid, shape)
      } else { try floats(codes, scales, zeros, grid, shape) }
    let planes = Set(parts.planes.compactMap { if case .stored(let tensor, _) = $0 { tensor.name } else { nil } })
    return LogicalTensor(
      name: tensor.name, shape: shape, codec: parts.codec, layout: "ONNX QDQ \(tensor.type)", planes: parts.planes,
      companions: [codes, scales, zeros].compactMap { $0?.stored }.filter { !planes.contains($0.name) })
  }

  private func refusal(_ layout: String, _ codes: ONNXOperand) -> LayoutError {
    stored.fault(
      .unreadable(layout: layout, remedy: "fold the constants of the graph first, or pack it as it is"), codes.name)
  }

  private typealias Parts = (codec: any Codec, planes: [PlaneSource])

  private func floats(
    _ codes: ONNXOperand, _ scales: ONNXOperand, _ zeros: ONNXOperand?, _ grid: ScaleSharing, _ shape: Shape
  ) throws -> Parts {
    if let zeros, try operands.bytes(zeros).contains(where: { $0 & 0x7F != 0 }) {
      throw refusal("floats with zero points", codes)
    }
    let type = try operands.scalarType(scales, of: codes.name)
    if codes.tensor.type == .float4e2m1 {
      let (grouping, order) = grid.grouping(columns: shape.columns, isAligned: isAligned(shape, bits: 4))
      let codec = try stored.naming(codes.name) { () throws(CodecError) in
        try IntegersCodec(bits: 4, grouping: grouping, scale: type, zero: .none, code: .e2m1)
      }
      return (codec, [try operands.plane(codes, .same), try ordered(scales, order, shape, width: type.bytes)])
    }
    guard let element = codes.tensor.type.dtype.flatMap({ FP8Element($0) }),
      let scale = FP8Scale(rawValue: type.rawValue)
    else {
      throw stored.fault(
        .dtype(stored: codes.name, found: "\(codes.tensor.type)", expected: "a quantized type"), codes.name)
    }
    guard let sides = grid.sides(columns: shape.columns) else {
      throw refusal("FP8 with scales along an inner axis", codes)
    }
    let codec = try stored.naming(codes.name) { () throws(CodecError) in
      try FP8Codec(element, scale: scale, rows: sides.rows, columns: sides.columns)
    }
    return (codec, [try operands.plane(codes, .same), try operands.plane(scales, .same)])
  }

  private func isAligned(_ shape: Shape, bits: Int) -> Bool { shape.rows == 1 || shape.columns * bits % 8 == 0 }

  private func integers(
    _ codes: ONNXOperand, _ scales: ONNXOperand, _ zeros: ONNXOperand?, _ grid: ScaleSharing, _ shape: Shape
  ) throws -> Parts {
    let bits = codes.tensor.type.bits
    let type = try operands.scalarType(scales, of: codes.name)
    let (grouping, order) = grid.grouping(columns: shape.columns, isAligned: isAligned(shape, bits: bits))
    let points = try ONNXZeroPoints(zeros, codes: codes.tensor, count: scales.tensor.elements, operands)
    let codec = try stored.naming(codes.name) { () throws(CodecError) -> any Codec in
      if grouping == .strided(shape.columns), isAligned(shape, bits: bits), let codec = column(bits, type, points.zero)
      {
        return codec
      }
      return try IntegerForm.codec(bits: bits, grouping: grouping, scale: type, zero: points.zero)
    }
    let form = try stored.naming(codes.name) { () throws(CodecError) in try points.codeForm(shape) }
    var planes = [try operands.plane(codes, form), try ordered(scales, order, shape, width: type.bytes)]
    if let zeros, order == .same, points.zero == .code {
      let form = try stored.naming(codes.name) { () throws(CodecError) in try points.form(of: zeros.tensor) }
      planes.append(try operands.plane(zeros, form))
    } else if let bytes = points.bytes {
      planes.append(try reordered(bytes, order, shape, width: points.width))
    }
    return (codec, planes)
  }

  /// One scale a column of a matrix, where `intB` has its width.
  private func column(_ bits: Int, _ scale: ScalarFloat, _ zero: IntegersCodec.Zero) -> (any Codec)? {
    let plain: IntegerCodec.Zero? = zero == .none ? IntegerCodec.Zero.none : zero == .code ? .code : nil
    return plain.flatMap { try? IntegerCodec(bits: bits, grouping: .column, scale: .float(scale), zero: $0) }
  }

  private func ordered(
    _ scales: ONNXOperand, _ order: ScaleSharing.Order, _ shape: Shape, width: Int
  ) throws -> PlaneSource {
    if order == .same { return try operands.plane(scales, .same) }
    return try reordered(try operands.bytes(scales), order, shape, width: width)
  }

  /// Scales or zero points in the order of the encoding, at most 16 MiB of them.
  private func reordered(
    _ bytes: [UInt8], _ order: ScaleSharing.Order, _ shape: Shape, width: Int
  ) throws(LayoutError) -> PlaneSource {
    if order == .same { return .bytes(bytes) }
    guard let total = order.count(elements: shape.elements).multiplied(by: width), total <= 1 << 24 else {
      throw stored.fault(
        .unreadable(layout: "blocks along an inner axis", remedy: "quantize it along its last axes"), node.input(0))
    }
    return .bytes(order.indices(elements: shape.elements).flatMap { bytes[$0 * width..<($0 + 1) * width] })
  }
}
