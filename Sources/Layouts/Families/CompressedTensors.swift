import ByteIO
import Codecs
import JSON
import Tensors

/// compressed-tensors' integer formats: pack-quantized (codes packed along the inputs in 32-bit words, 3, 5, 6 and 7
/// bits in one of two ways, zero points along the outputs; Kimi-K2 and llm-compressor) and int-quantized (a byte a
/// code).
struct CompressedTensors: Layout {
  let name = "compressed-tensors"

  func tensors(in stored: StoredTensors) throws -> [LogicalTensor] {
    let packed = try stored.ending(".weight_packed").filter { $0.tensor.dtype == .i32 }.map { module, weight in
      try PackedModule(module, packed: weight, stored).logical()
    }
    return try packed
      + stored.ending(".weight").filter { $0.tensor.dtype == .i8 }.compactMap { module, weight in
        guard let scale = stored["\(module).weight_scale"] else { return nil }
        return try whole(weight, scale: scale, zero: stored["\(module).weight_zero_point"], stored)
      }
  }

  /// int-quantized: signed codes, and zero points, of a byte each.
  private func whole(
    _ weight: StoredTensor, scale: StoredTensor, zero: StoredTensor?, _ stored: StoredTensors
  ) throws -> LogicalTensor {
    let (rows, columns) = try stored.matrix(weight, of: weight.name)
    let type = try stored.scalarType(scale, of: weight.name)
    let groups = Self.weightSchemes(stored.configuration).compactMap { $0["group_size"]?.int }.first { $0 > 0 }
    let grouping = try stored.grouping(by: scale, rows: rows, columns: columns, configured: groups, of: weight.name)
    var planes: [PlaneSource] = [.stored(weight, .same), .stored(scale, .same)]
    if let zero {
      try stored.check(zero, [.i8], of: weight.name)
      planes = [
        .stored(weight, try SignedBytes.form(weight, stored)), .stored(scale, .same),
        .stored(zero, try SignedBytes.form(zero, stored)),
      ]
    }
    let codec = try stored.naming(weight.name) { () throws(CodecError) in
      try IntegerForm.codec(bits: 8, grouping: grouping, scale: type, zero: zero == nil ? .none : .code)
    }
    return LogicalTensor(
      name: weight.name, shape: try stored.shape(weight.shape, of: weight.name), codec: codec,
      layout: "\(name) int-quantized", planes: planes)
  }

  /// The `weights` of every group of the configuration.
  static func weightSchemes(_ configuration: QuantizationConfiguration) -> [JSONValue] {
    (configuration.quantization?["config_groups"]?.object?.members ?? []).compactMap { $0.value["weights"] }
  }
}

/// Signed bytes as unsigned ones, 128 more: what codes with a zero point are.
enum SignedBytes {
  static func form(_ tensor: StoredTensor, _ stored: StoredTensors) throws(LayoutError) -> Arrangement.Form {
    let columns = tensor.shape.last ?? 1
    let rows = columns == 0 ? 0 : tensor.shape.dropLast().reduce(1, *)
    return try stored.naming(tensor.name) { () throws(CodecError) in
      .packed(try PackedFields(rows: rows, columns: columns, field: 8, word: 8, change: .flip(0x80)))
    }
  }
}
