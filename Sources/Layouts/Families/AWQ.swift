import ByteIO
import Codecs
import Tensors

/// AWQ as AutoAWQ stores it, 4 bits: GEMM (codes of eight outputs a word, interleaved), GEMV (codes of eight inputs a
/// word) and GEMV_FAST (tiles, with zero points already times the scale).
struct AWQ: Layout {
  let name = "AWQ"

  func tensors(in stored: StoredTensors) throws -> [LogicalTensor] {
    guard [nil, "awq", "auto-round", "intel/auto-round"].contains(stored.configuration.method) else { return [] }
    return try stored.ending(".qweight").compactMap { module, qweight in
      guard let scales = stored["\(module).scales"], qweight.shape.count == 2, scales.shape.count == 2 else {
        guard stored.configuration.method == "awq" else { return nil }
        throw stored.fault(.missing("\(module).scales"), "\(module).weight")
      }
      guard let bits = stored.configuration.integer("bits", "w_bit", "wbits"), bits != 4 else {
        return try tensor(module, qweight, scales, stored)
      }
      throw stored.fault(.disagreement("\(bits) bits, and AWQ has 4"), "\(module).weight")
    }
  }

  private func tensor(
    _ module: String, _ qweight: StoredTensor, _ scales: StoredTensor, _ stored: StoredTensors
  ) throws(LayoutError) -> LogicalTensor? {
    let weight = "\(module).weight"
    let zeros = try stored.required("\(module).qzeros", of: weight)
    if qweight.dtype == .i16 { return try fast(weight, qweight, scales, zeros, stored) }
    try stored.check(qweight, [.i32, .u32], of: weight)
    let version = stored.configuration.string("version")?.lowercased()
    let isGEMM = qweight.shape[1].multiplied(by: 8) == scales.shape[1] && version != "gemv"
    if isGEMM { return try gemm(weight, qweight, scales, zeros, stored) }
    guard qweight.shape[0] == scales.shape[0] else {
      // GPTQ's shape, which another layout takes.
      if stored.configuration.method != "awq", qweight.shape[1] == scales.shape[1] { return nil }
      throw stored.fault(
        .shape(stored: scales.name, found: scales.shape, expected: "[groups, outputs] or [outputs, groups]"), weight)
    }
    return try gemv(weight, qweight, scales, zeros, stored)
  }

  private func group(_ inputs: Int, groups: Int?, _ weight: String, _ stored: StoredTensors) throws(LayoutError) -> Int
  {
    let configured = stored.configuration.integer("group_size", "q_group_size")
    let size = configured.map { $0 == -1 ? inputs : $0 } ?? groups.map { $0 > 0 ? inputs / $0 : 0 } ?? 128
    guard size > 0, groups == nil || inputs.dividedRoundingUp(by: size) == groups else {
      throw stored.fault(.disagreement("groups of \(size), but \(groups ?? 0) groups of \(inputs) inputs"), weight)
    }
    return size
  }

  private func gemm(
    _ weight: String, _ qweight: StoredTensor, _ scales: StoredTensor, _ zeros: StoredTensor, _ stored: StoredTensors
  ) throws(LayoutError) -> LogicalTensor {
    let (inputs, outputs, groups) = (qweight.shape[0], scales.shape[1], scales.shape[0])
    try stored.check(zeros, [groups, outputs / 8], of: weight)
    let group = try group(inputs, groups: groups, weight, stored)
    let type = try stored.scalarType(scales, of: weight)
    return try logical(weight, [outputs, inputs], group, type, zero: .code, version: "GEMM", stored) {
      () throws(CodecError) in
      [
        .stored(
          qweight,
          .packed(
            try PackedFields(
              rows: outputs, columns: inputs, field: 4, along: .rows, packing: .interleaved, word: 32))),
        .stored(scales, .packed(try .turned(type, rows: outputs, columns: groups))),
        .stored(
          zeros,
          .packed(
            try PackedFields(
              rows: outputs, columns: groups, field: 8, bits: 4, along: .rows, packing: .interleaved, word: 32))),
      ]
    }
  }

  private func gemv(
    _ weight: String, _ qweight: StoredTensor, _ scales: StoredTensor, _ zeros: StoredTensor, _ stored: StoredTensors
  ) throws(LayoutError) -> LogicalTensor {
    let (outputs, inputs) = (qweight.shape[0], qweight.shape[1] * 8)
    let group = try group(inputs, groups: nil, weight, stored)
    let groups = inputs.dividedRoundingUp(by: group)
    let type = try stored.scalarType(scales, of: weight)
    try stored.check(zeros, [outputs, scales.shape[1] / 8], of: weight)
    return try logical(weight, [outputs, inputs], group, type, zero: .code, version: "GEMV", stored) {
      () throws(CodecError) in
      [
        .stored(qweight, .same),
        .stored(
          scales,
          .packed(
            try PackedFields(
              rows: outputs, columns: groups, field: type.bytes * 8, word: type.bytes * 8, words: scales.shape[1]))),
        .stored(
          zeros,
          .packed(
            try PackedFields(
              rows: outputs, columns: groups, field: 8, bits: 4, word: 32, words: zeros.shape[1]))),
      ]
    }
  }

  private func fast(
    _ weight: String, _ qweight: StoredTensor, _ scales: StoredTensor, _ zeros: StoredTensor, _ stored: StoredTensors
  ) throws(LayoutError) -> LogicalTensor {
    let (outputs, inputs) = (qweight.shape[0] * 4, qweight.shape[1])
    try stored.check(zeros, scales.shape, of: weight)
    guard scales.shape[1] == outputs else {
      throw stored.fault(.shape(stored: scales.name, found: scales.shape, expected: "[groups, \(outputs)]"), weight)
    }
    let group = try group(inputs, groups: nil, weight, stored)
    let groups = inputs.dividedRoundingUp(by: group)
    let (type, bias) = (try stored.scalarType(scales, of: weight), try stored.scalarType(zeros, of: weight))
    // Rows of padding come after those of the groups; the stored columns are the plane's rows.
    return try logical(weight, [outputs, inputs], group, type, zero: .bias(bias), version: "GEMV_FAST", stored) {
      () throws(CodecError) in
      func transposed(_ tensor: StoredTensor) throws(CodecError) -> PlaneSource {
        let bits = tensor.dtype.bits
        return .stored(
          tensor,
          .packed(
            try PackedFields(
              rows: outputs, columns: groups, field: bits, along: .columns, order: .words, word: bits,
              words: tensor.shape[0])))
      }
      return [
        .stored(qweight, .tiled(try TiledNibbles(rows: outputs, columns: inputs))), try transposed(scales),
        try transposed(zeros),
      ]
    }
  }

  private func logical(
    _ weight: String, _ dimensions: [Int], _ group: Int, _ scale: ScalarFloat, zero: IntegerCodec.Zero,
    version: String, _ stored: StoredTensors, planes: () throws(CodecError) -> [PlaneSource]
  ) throws(LayoutError) -> LogicalTensor {
    let codec = try stored.naming(weight) { () throws(CodecError) in
      try IntegerCodec(bits: 4, grouping: .elements(group), scale: .float(scale), zero: zero)
    }
    return LogicalTensor(
      name: weight, shape: try stored.shape(dimensions, of: weight), codec: codec, layout: "AWQ \(version)",
      planes: try stored.naming(weight, planes))
  }
}
