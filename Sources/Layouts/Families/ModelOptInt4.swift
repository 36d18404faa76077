import Codecs
import Tensors

/// modelopt's INT4 (`W4A16_AWQ`, `INT4_AWQ`): a byte of `weight` holds two outputs of one input, the even one low, as
/// two's complement; `weight_scale` is a float a group of inputs. Where the inputs are multiplied by a `pre_quant_scale`, the
/// weights are seen with these factors: they are those of a model without it.
struct ModelOptInt4: Layout {
  let name = "modelopt INT4"

  func tensors(in stored: StoredTensors) throws -> [LogicalTensor] {
    try stored.ending(".weight").filter { $0.tensor.dtype == .u8 && $0.tensor.shape.count == 2 }.compactMap {
      module, weight in
      guard let scales = stored["\(module).weight_scale"], [.f16, .bf16, .f32].contains(scales.dtype),
        scales.shape.count == 2, weight.shape[0].multiplied(by: 2) == scales.shape[0]
      else { return nil }
      return try tensor(module, weight, scales, stored)
    }
  }

  private func tensor(
    _ module: String, _ weight: StoredTensor, _ scales: StoredTensor, _ stored: StoredTensors
  ) throws -> LogicalTensor {
    if stored["\(module).weight_scale_2"] != nil {
      throw stored.fault(
        .unreadable(layout: "modelopt INT4 with a second scale (W4A8)", remedy: "dequantize it with its own library"),
        weight.name)
    }
    let (outputs, inputs) = (scales.shape[0], weight.shape[1])
    let configured = stored.configuration.integer("group_size")
    let grouping = try stored.grouping(
      by: scales, rows: outputs, columns: inputs, configured: configured, of: weight.name)
    let type = try stored.scalarType(scales, of: weight.name)
    let factors = stored["\(module).pre_quant_scale"]
    let factorType = try factors.map { (factors) throws(LayoutError) in
      try stored.check(factors, [inputs], of: weight.name)
      return try stored.scalarType(factors, of: weight.name)
    }
    let (codec, fields) = try stored.naming(weight.name) { () throws(CodecError) -> (any Codec, PackedFields) in
      (
        factorType == nil
          ? try IntegerForm.codec(bits: 4, grouping: grouping, scale: type, zero: .none)
          : try IntegersCodec(bits: 4, grouping: grouping, scale: type, zero: .none, factors: factorType),
        try PackedFields(rows: outputs, columns: inputs, field: 4, along: .rows, order: .words, word: 8)
      )
    }
    return LogicalTensor(
      name: weight.name, shape: try stored.shape([outputs, inputs], of: weight.name), codec: codec, layout: name,
      planes: [.stored(weight, .packed(fields)), .stored(scales, .same)] + (factors.map { [.stored($0, .same)] } ?? []),
      companions: stored.present(["\(module).input_scale"]))
  }
}
