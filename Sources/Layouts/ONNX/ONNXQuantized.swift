import Codecs
import ONNX
import Tensors

/// A float weight that `QuantizeLinear` rounds to a grid before it is used, as graphs of quantization-aware training
/// have it: `saturate(round(x / scale) + zero point)` (onnx.ai, operator QuantizeLinear).
struct ONNXQuantized {
  let node: ONNXNode
  let operands: ONNXOperands

  /// Nil for what isn't a weight of the model that lies in a file. Throws `LayoutError`, `ONNXError` or `IOError`.
  func logical() throws -> LogicalTensor? {
    guard let weight = operands.operand(node, 0), let stored = weight.stored, weight.tensor.elements > 0 else {
      return nil
    }
    let zeros = operands.operand(node, 2)
    let number = zeros?.tensor.type.rawValue ?? node.integers["output_dtype"].flatMap { $0 == 0 ? nil : $0 } ?? 2
    guard let scales = operands.operand(node, 1), node.input(2) == nil || zeros != nil,
      let type = ONNXType(rawValue: number), let bits = type.codeBits, bits <= 16
    else {
      throw operands.stored.fault(
        .unreadable(layout: "a grid that is computed, or of floats", remedy: "pack it as it is"), weight.name)
    }
    let steps = try values(scales, of: weight.name)
    let points = try ONNXZeroPoints.integers(zeros, type: type, count: steps.count, operands, of: weight.name)
    let encoding = GridEncoding(
      bits: bits, zeros: points.map(Double.init), scales: steps, axis: scales.tensor.dimensions.isEmpty ? nil : axis,
      block: node.integers["block_size"] ?? 0, scaleShape: scales.tensor.dimensions)
    return try encoding.logical(
      stored, rule: .divided, layout: "ONNX QuantizeLinear \(type)", companions: [], operands.stored)
  }

  private var axis: Int { node.integers["axis"] ?? 1 }

  private func values(_ scales: ONNXOperand, of logical: String) throws -> [Double] {
    let type = try operands.scalarType(scales, of: logical)
    return try operands.bytes(scales).withUnsafeBytes { bytes in
      (0..<bytes.count / type.bytes).map { Double(type.load(bytes, $0)) }
    }
  }
}
