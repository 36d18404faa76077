import ByteIO
import Codecs
import ONNX
import Tensors

/// ONNX Runtime's `MatMulNBits`: codes of 2, 4 or 8 bits [N, blocks, bytes], first code in the lowest bits, a scale a
/// block along K, zero points packed in bytes or as floats; without them they are 2^(bits - 1)
/// (onnxruntime, docs/ContribOperators.md).
struct ONNXMatMulNBits {
  let node: ONNXNode
  let operands: ONNXOperands

  private var stored: StoredTensors { operands.stored }

  /// Nil where the codes are no tensor of the model. Throws `LayoutError`, `ONNXError` or `IOError`.
  func logical() throws -> LogicalTensor? {
    guard let codes = operands.operand(node, 1) else { return nil }
    let name = codes.name
    let (rows, columns, block) = (node.integers["N"] ?? 0, node.integers["K"] ?? 0, node.integers["block_size"] ?? 0)
    let bits = node.integers["bits"] ?? 4
    guard rows > 0, columns > 0, block > 0, block % 8 == 0, [2, 4, 8].contains(bits) else {
      throw stored.fault(.value("there is no MatMulNBits of N \(rows), K \(columns), \(block) a block"), name)
    }
    let blocks = columns.dividedRoundingUp(by: block)
    guard let words = blocks.multipliedExactly(block / 8, bits), let bytes = rows.multiplied(by: words),
      let groups = rows.multiplied(by: blocks), codes.tensor.byteCount == bytes
    else {
      throw stored.fault(
        .shape(stored: name, found: codes.tensor.dimensions, expected: "[\(rows), \(blocks), bytes of \(block) codes]"),
        name)
    }
    guard let scales = operands.operand(node, 2) else {
      throw stored.fault(.missing(node.input(2) ?? "scales"), name)
    }
    try checkCount(scales, groups, of: name)
    let shape = try stored.shape([rows, columns], of: name)
    let type = try operands.scalarType(scales, of: name)
    let (grouping, index) = try grouping(block, blocks, columns, name)
    let (zero, zeros) = try zeroPoints(rows: rows, blocks: blocks, bits: bits, name)
    let codec = try stored.naming(name) { () throws(CodecError) in
      try IntegerForm.codec(bits: bits, grouping: grouping, scale: type, zero: zero)
    }
    let fields = try stored.naming(name) { () throws(CodecError) in
      try PackedFields(
        rows: rows, columns: columns, field: bits, word: 8, words: words,
        change: zero == .none ? .flip(1 << UInt32(bits - 1)) : .none)
    }
    let planes = [try operands.plane(codes, .packed(fields)), try operands.plane(scales, .same)] + zeros + index
    return LogicalTensor(
      name: name, shape: shape, codec: codec, layout: "ONNX MatMulNBits \(bits)-bit", planes: planes,
      companions: unused(planes))
  }

  /// Inputs that no plane was made of in its place: a trivial index of groups.
  private func unused(_ planes: [PlaneSource]) -> [StoredTensor] {
    let used = Set(planes.compactMap { if case .stored(let tensor, _) = $0 { tensor.name } else { nil } })
    return (1...4).compactMap { operands.operand(node, $0)?.stored }.filter { !used.contains($0.name) }
  }

  private func checkCount(_ operand: ONNXOperand, _ count: Int, of name: String) throws(LayoutError) {
    guard operand.tensor.elements == count else {
      throw stored.fault(
        .shape(stored: operand.name, found: operand.tensor.dimensions, expected: "\(count) numbers"), name)
    }
  }

  /// Blocks, or where another order of the inputs is named, the plane that names it.
  private func grouping(
    _ block: Int, _ blocks: Int, _ columns: Int, _ name: String
  ) throws -> (IntegersCodec.Grouping, [PlaneSource]) {
    guard let index = operands.operand(node, 4) else {
      guard node.input(4) == nil else {
        throw stored.fault(.unreadable(layout: "groups that are computed", remedy: "pack it as it is"), name)
      }
      return (.elements(block), [])
    }
    guard index.tensor.type == .int32, index.tensor.elements >= columns else {
      throw stored.fault(
        .shape(stored: index.name, found: index.tensor.dimensions, expected: "a group of each of \(columns)"), name)
    }
    let bytes = try operands.bytes(index)
    let groups = (0..<columns).map { column in
      (0..<4).reduce(0) { $0 | Int(bytes[column * 4 + $1]) << (8 * $1) }
    }
    if groups.enumerated().allSatisfy({ $0.element == $0.offset / block }) { return (.elements(block), []) }
    guard groups.allSatisfy({ $0 < blocks }) else {
      throw stored.fault(.value("'\(index.name)' names a group beyond the \(blocks) that there are"), name)
    }
    return (.indexed(blocks), [.bytes(Array(bytes.prefix(columns * 4)))])
  }

  private func zeroPoints(
    rows: Int, blocks: Int, bits: Int, _ name: String
  ) throws -> (IntegersCodec.Zero, [PlaneSource]) {
    guard let zeros = operands.operand(node, 3) else {
      guard node.input(3) == nil else {
        throw stored.fault(.unreadable(layout: "zero points that are computed", remedy: "pack it as it is"), name)
      }
      return (.none, [])
    }
    guard zeros.tensor.type == .uint8 else {
      let type = try operands.scalarType(zeros, of: name)
      try checkCount(zeros, rows * blocks, of: name)
      return (.point(type), [try operands.plane(zeros, .same)])
    }
    let fields = try stored.naming(name) { () throws(CodecError) in
      try PackedFields(rows: rows, columns: blocks, field: 8, bits: bits, word: 8)
    }
    guard zeros.tensor.byteCount == fields.storedBytes else {
      throw stored.fault(
        .shape(stored: zeros.name, found: zeros.tensor.dimensions, expected: "\(fields.storedBytes) bytes"), name)
    }
    return (.code, [try operands.plane(zeros, .packed(fields))])
  }
}
