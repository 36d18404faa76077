import Checkpoints
import Codecs
import JSON
import Tensors

/// TorchAO's flattened `MXTensor` and `NVFP4Tensor` with codes below eight bits: `X._weight_qdata` with
/// `X._weight_scale`, described in the file's metadata under `X.weight`.
struct TorchAOFloat: Layout {
  var name: String { "TorchAO" }

  func tensors(in stored: StoredTensors) throws -> [LogicalTensor] {
    var found: [LogicalTensor] = []
    for (prefix, codes) in stored.ending("_weight_qdata") where codes.dtype == .u8 || codes.dtype == .f4 {
      let logical = prefix + "weight"
      let description = Self.description(of: logical, stored)
      guard let type = description?["_type"]?.string, type == "MXTensor" || type == "NVFP4Tensor" else { continue }
      let scales = try stored.required(prefix + "_weight_scale", of: logical)
      if description?["_data"]?["is_swizzled_scales"]?.bool == true {
        throw stored.fault(
          .unreadable(layout: "TorchAO with swizzled scales", remedy: "save it with is_swizzled_scales=False"), logical)
      }
      found.append(
        type == "NVFP4Tensor"
          ? try nvfp4(logical, codes, scales, stored[prefix + "_weight_per_tensor_scale"], stored)
          : try mx(logical, codes, scales, description, stored))
    }
    return found
  }

  private static func description(of logical: String, _ stored: StoredTensors) -> JSONValue? {
    stored.checkpoint.facts.first { $0.key == logical }.flatMap { try? JSONValue(parsing: Array($0.value.utf8)) }
  }

  /// Bytes that a row of codes takes.
  private static func rowBytes(_ codes: StoredTensor) -> Int {
    let last = codes.shape.last ?? 0
    return codes.dtype == .f4 ? last / 2 : last
  }

  private func nvfp4(
    _ logical: String, _ codes: StoredTensor, _ scales: StoredTensor, _ factor: StoredTensor?, _ stored: StoredTensors
  ) throws(LayoutError) -> LogicalTensor {
    try stored.check(scales, [.f8e4m3], of: logical)
    if let factor { try stored.checkFactor(factor, of: logical) }
    let grid = try grid(logical, codes, scales, [MicroscalingGrid.nvfp4(factor == nil ? .none : .multiply)], stored)
    return LogicalTensor(
      name: logical, shape: grid.shape, codec: grid.codec, layout: "TorchAO NVFP4",
      planes: [codes, scales].map { .stored($0, .same) } + (factor.map { [.stored($0, .same)] } ?? []),
      companions: stored.present([String(logical.dropLast("weight".count)) + "_weight_act_per_tensor_scale"]))
  }

  /// Codes of six bits are stored one a byte.
  private func mx(
    _ logical: String, _ codes: StoredTensor, _ scales: StoredTensor, _ description: JSONValue?,
    _ stored: StoredTensors
  ) throws(LayoutError) -> LogicalTensor {
    try stored.check(scales, [.u8, .f8e8m0], of: logical)
    let element = description?["_data"]?["elem_dtype"]
    let kind = element?.string ?? element?["_data"]?.string ?? ""
    let isSix = kind.contains("fp6") || kind.contains("float6")
    let six = MXCodec(kind.contains("e3m2") ? .e3m2 : .e2m3)
    let wanted = isSix ? (six, 8, MXCodec.block) : MicroscalingGrid.mxfp4
    let grid = try grid(logical, codes, scales, [wanted], stored)
    var form = Arrangement.Form.same
    if isSix {
      form = try stored.naming(logical) { () throws(CodecError) in
        .packed(
          try PackedFields(
            rows: grid.shape.rows, columns: grid.shape.columns, field: 6, bits: 6, packing: .words, word: 8,
            words: grid.shape.columns))
      }
    }
    return LogicalTensor(
      name: logical, shape: grid.shape, codec: grid.codec, layout: "TorchAO MX",
      planes: [.stored(codes, form), .stored(scales, .same)])
  }

  private func grid(
    _ logical: String, _ codes: StoredTensor, _ scales: StoredTensor,
    _ codecs: [(codec: any Codec, bits: Int, block: Int)], _ stored: StoredTensors
  ) throws(LayoutError) -> MicroscalingGrid {
    let outer = Array(codes.shape.dropLast())
    guard let count = scales.shape.last, Array(scales.shape.dropLast()) == outer,
      let grid = MicroscalingGrid(outer: outer, bytes: Self.rowBytes(codes), scales: count, codecs: codecs)
    else {
      throw stored.fault(
        .shape(stored: scales.name, found: scales.shape, expected: "a scale for each block of \(codes.shape)"), logical)
    }
    return grid
  }
}
