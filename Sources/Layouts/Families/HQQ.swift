import ByteIO
import Codecs
import Tensors

/// HQQ: codes of 1, 2, 3, 4 or 8 bits, with float scales and float zero points by group. The matrix is reshaped so that
/// groups are rows (axis 1) or columns (axis 0), and packed in halves (quarters, eighths, tenths) of its rows, the
/// first of them in the highest bits.
struct HQQ: Layout {
  let name = "HQQ"

  func tensors(in stored: StoredTensors) throws -> [LogicalTensor] {
    try stored.ending(".W_q").map { try Module($0, $1, stored).logical() }
  }

  /// What else belongs to a module, and only says how it is read.
  private static let facts = [
    "shape", "axis", "group_size", "nbits", "channel_wise", "compute_dtype", "encoded_state_dict", "offload_meta",
    "optimize", "packing", "quant_scale", "quant_zero", "round_zero", "stores_quant_config", "unpack_view_dtype",
    "view_as_float",
  ]

  private struct Module {
    let weight: String
    let stored: StoredTensors
    let codes: StoredTensor
    let scale: StoredTensor
    let zero: StoredTensor
    let companions: [StoredTensor]
    let shape: Shape
    let bits: Int
    let axis: Int

    init(_ module: String, _ codes: StoredTensor, _ stored: StoredTensors) throws {
      let weight = "\(module).weight"
      self.weight = weight
      self.stored = stored
      self.codes = codes
      scale = try stored.required("\(module).scale", of: weight)
      zero = try stored.required("\(module).zero", of: weight)
      companions = HQQ.facts.compactMap { stored["\(module).\($0)"] }
      for flag in ["quant_scale", "quant_zero"] {
        guard let tensor = stored["\(module).\(flag)"], try stored.integers(tensor, of: weight).first != 0 else {
          continue
        }
        throw stored.fault(
          .unreadable(layout: "HQQ with quantized scales", remedy: "save it with \(flag)=False"), weight)
      }
      let dimensions = try stored.integers(stored.required("\(module).shape", of: weight), of: weight)
      shape = try stored.shape(dimensions, of: weight)
      func number(_ name: String) throws -> Int? {
        try stored["\(module).\(name)"].flatMap { try stored.integers($0, of: weight).first }
      }
      bits = try number("nbits") ?? 0
      axis = try number("axis") ?? 1
      guard [1, 2, 3, 4, 8].contains(bits), [0, 1].contains(axis), dimensions.count == 2 else {
        throw stored.fault(.value("\(bits) bits along axis \(axis) of \(shape) are none of HQQ's"), weight)
      }
    }

    /// Scales, one a group.
    var groups: Int { scale.shape.reduce(1) { $0.multiplied(by: $1) ?? .max } }

    func logical() throws -> LogicalTensor {
      guard groups > 0, shape.elements > 0, shape.elements % groups == 0 else {
        throw stored.fault(
          .shape(stored: scale.name, found: scale.shape, expected: "groups of the \(shape.elements) codes"), weight)
      }
      let size = shape.elements / groups
      let (type, zeroType) = (try stored.scalarType(scale, of: weight), try stored.scalarType(zero, of: weight))
      let grouping: IntegersCodec.Grouping =
        axis == 0 ? .strided(groups) : shape.columns % size == 0 ? .elements(size) : .flat(size)
      let codec = try stored.naming(weight) { () throws(CodecError) in
        try IntegersCodec(bits: bits, grouping: grouping, scale: type, zero: .point(zeroType))
      }
      let fields = try stored.naming(weight) { () throws(CodecError) in
        try PackedFields(
          rows: axis == 0 ? size : groups, columns: axis == 0 ? groups : size, field: bits, along: .rows,
          order: .words, packing: .splitHigh, word: bits == 3 ? 32 : 8, words: codes.shape.first)
      }
      return LogicalTensor(
        name: weight, shape: shape, codec: codec, layout: "HQQ \(bits)-bit",
        planes: [.stored(codes, .packed(fields)), .stored(scale, .same), .stored(zero, .same)],
        companions: companions)
    }
  }
}
