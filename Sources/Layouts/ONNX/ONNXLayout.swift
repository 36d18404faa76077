import Checkpoints
import Codecs
import ONNX
import Tensors

/// Quantized weights of ONNX graphs: initializers that a `DequantizeLinear` or one of ONNX Runtime's operations takes, and
/// float ones that a `QuantizeLinear` does.
struct ONNXLayout: Layout {
  let name = "ONNX"

  func tensors(in stored: StoredTensors) throws -> [LogicalTensor] {
    guard let model = (stored.checkpoint as? ONNXCheckpoint)?.model else { return [] }
    let nodes = try Self.nodes(model, stored)
    let operands = ONNXOperands(model, stored, nodes)
    return try nodes.compactMap { node in
      do {
        switch node.type {
        case "MatMulNBits": return try ONNXMatMulNBits(node: node, operands: operands).logical()
        case "QuantizeLinear": return try ONNXQuantized(node: node, operands: operands).logical()
        default: return try ONNXLinear(node: node, operands: operands).logical()
        }
      } catch let error as LayoutError {
        guard case .unreadable = error.reason else { throw error }
        let members = node.inputs.compactMap { stored[$0] }
        return LogicalTensor(refused: error, name: error.tensor ?? "", members: members)
      }
    }
  }

  /// Where the codes stand among the inputs of an operation; nil for one that takes none.
  private static func codes(_ node: ONNXNode) -> Int? {
    switch (node.domain, node.type) {
    case ("", "DequantizeLinear"), ("com.microsoft", "DequantizeLinear"): 0
    case ("", "QuantizeLinear"), ("com.microsoft", "QuantizeLinear"): 0
    case ("com.microsoft", "MatMulNBits"): 1
    default: nil
    }
  }

  /// The operations on quantized tensors of the model, one a tensor. Throws `LayoutReason.disagreement` where two read
  /// the same codes in different ways.
  private static func nodes(_ model: ONNXModel, _ stored: StoredTensors) throws(LayoutError) -> [ONNXNode] {
    var (found, firsts) = ([ONNXNode](), [String: Int]())
    for node in model.nodes {
      guard let index = codes(node), let name = node.input(index), model[name] != nil else { continue }
      guard let first = firsts[name] else {
        firsts[name] = found.count
        found.append(node)
        continue
      }
      let other = found[first]
      guard other.type == node.type, other.inputs.dropFirst(index) == node.inputs.dropFirst(index),
        other.integers["axis"] == node.integers["axis"], other.integers["block_size"] == node.integers["block_size"]
      else { throw stored.fault(.disagreement("two nodes dequantize it in different ways"), name) }
    }
    return found
  }
}

/// The tensors that nodes name.
struct ONNXOperands {
  let model: ONNXModel
  let stored: StoredTensors
  /// How many inputs of these nodes a name stands at.
  private let uses: [String: Int]

  init(_ model: ONNXModel, _ stored: StoredTensors, _ nodes: [ONNXNode]) {
    self.model = model
    self.stored = stored
    uses = Dictionary(nodes.flatMap(\.inputs).map { ($0, 1) }, uniquingKeysWith: +)
  }

  /// An input that is a tensor of the model; nil where it is left out or is computed.
  func operand(_ node: ONNXNode, _ index: Int) -> ONNXOperand? {
    guard let name = node.input(index), let tensor = model[name] else { return nil }
    return ONNXOperand(tensor: tensor, stored: uses[name] == 1 ? stored[name] : nil)
  }

  /// The bytes of an operand, which is not large.
  func bytes(_ operand: ONNXOperand) throws -> [UInt8] { try model.bytes(of: operand.tensor) }

  /// A plane out of an operand: from its place in the file, or made now where numbers are stored otherwise or for
  /// several nodes.
  func plane(_ operand: ONNXOperand, _ form: Arrangement.Form) throws -> PlaneSource {
    if let stored = operand.stored { return .stored(stored, form) }
    let bytes = MemoryBytes(bytes: try bytes(operand))
    let count = Arrangement(plane: 0, form: form).sizes?.plane ?? bytes.count
    guard Arrangement(plane: 0, form: form).sizes.map({ $0.stored == bytes.count }) ?? true else {
      throw stored.fault(.value("'\(operand.tensor.name)' has \(bytes.count) bytes"), operand.tensor.name)
    }
    var made = [UInt8](repeating: 0, count: count)
    try made.withUnsafeMutableBytes { try Arrangement(plane: 0, form: form).readPlane(at: 0, into: $0, from: bytes) }
    return .bytes(made)
  }

  /// The type of scales.
  func scalarType(_ operand: ONNXOperand, of logical: String) throws(LayoutError) -> ScalarFloat {
    switch operand.tensor.type {
    case .float: return .f32
    case .float16: return .f16
    case .bfloat16: return .bf16
    default:
      throw stored.fault(
        .dtype(stored: operand.tensor.name, found: "\(operand.tensor.type)", expected: "a float of 16 or 32 bits"),
        logical)
    }
  }
}

/// A tensor of the model that a node takes.
struct ONNXOperand {
  let tensor: ONNXTensor
  /// Where it lies in a file; nil where its numbers are stored otherwise, or other nodes take it too.
  let stored: StoredTensor?

  var name: String { tensor.name }
}

/// Bytes that are in memory already.
struct MemoryBytes: ByteRanges {
  let bytes: [UInt8]
  var count: Int { bytes.count }

  func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws {
    buffer.copyBytes(from: bytes[offset..<offset + buffer.count])
  }
}
