import ByteIO
import Codecs
import Tensors

/// TorchAO's flattened integer tensors: `X._weight_qdata` with a byte a code, `_scale`, and `_zero_point`:
/// w = (q - z) * scale. Tensors packed for a kernel are refused.
struct TorchAO: Layout {
  let name = "TorchAO"

  func tensors(in stored: StoredTensors) throws -> [LogicalTensor] {
    try stored.ending("._weight_qdata").filter { [.i8, .u8, .i32].contains($0.tensor.dtype) }.compactMap {
      module, codes in
      let weight = "\(module).weight"
      guard codes.dtype == .i8 else {
        if stored.checkpoint.facts.contains(where: { $0.key == weight && $0.value.contains("Int4") }) {
          throw stored.fault(
            .unreadable(layout: "a TorchAO tensor packed for a kernel", remedy: "quantize to IntxUnpackedToInt8Tensor"),
            weight)
        }
        return nil
      }
      return try tensor(weight, module, codes, stored)
    }
  }

  private func tensor(
    _ weight: String, _ module: String, _ codes: StoredTensor, _ stored: StoredTensors
  ) throws -> LogicalTensor {
    let scale = try stored.required("\(module)._weight_scale", of: weight)
    let zero = stored["\(module)._weight_zero_point"]
    let (rows, columns) = try stored.matrix(codes, of: weight)
    let type = try stored.scalarType(scale, of: weight)
    let grouping = try stored.grouping(by: scale, rows: rows, columns: columns, configured: nil, of: weight)
    var planes: [PlaneSource] = [.stored(codes, .same), .stored(scale, .same)]
    if let zero {
      try stored.check(zero, [.i8], of: weight)
      planes = [
        .stored(codes, try SignedBytes.form(codes, stored)), .stored(scale, .same),
        .stored(zero, try SignedBytes.form(zero, stored)),
      ]
    }
    let codec = try stored.naming(weight) { () throws(CodecError) in
      try IntegerForm.codec(bits: 8, grouping: grouping, scale: type, zero: zero == nil ? .none : .code)
    }
    return LogicalTensor(
      name: weight, shape: try stored.shape(codes.shape, of: weight), codec: codec, layout: "\(name) int8",
      planes: planes)
  }
}
