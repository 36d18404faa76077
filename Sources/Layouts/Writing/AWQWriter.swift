import Codecs
import JSON
import Tensors

/// AWQ's GEMM layout, 4 bits.
struct AWQWriter: LayoutWriter {
  let name = "awq"

  var defaultEncoding: any Codec {
    (try? IntegerCodec(bits: 4, grouping: .elements(128), scale: .float(.f16), zero: .code)) ?? PlainCodec(.f16)
  }

  func exactEncoding(for codec: any Codec) -> (any Codec)? {
    guard let groups = IntegerGroups(codec), groups.codec.bits == 4 else { return nil }
    return groups.codec.zero == .code || groups.codec.zero == .none ? groups.with(.code) : nil
  }

  func holds(_ shape: Shape, as codec: any Codec) -> Bool {
    guard shape.rank == 2, let groups = IntegerGroups(codec), groups.codec.bits == 4, groups.codec.zero == .code else {
      return false
    }
    return shape.rows % 8 == 0 && shape.columns % (groups.size ?? 1) == 0
  }

  func stored(_ module: String, shape: Shape, codec: any Codec) throws(CodecError) -> [WrittenTensor] {
    guard let groups = IntegerGroups(codec) else { return [] }
    let (rows, columns, count) = (shape.rows, shape.columns, groups.count(columns: shape.columns))
    let width = groups.scale.bytes * 8
    let qweight = try PackedFields(
      rows: rows, columns: columns, field: 4, along: .rows, packing: .interleaved, word: 32)
    let qzeros = try PackedFields(
      rows: rows, columns: count, field: 8, bits: 4, along: .rows, packing: .interleaved, word: 32)
    let scales = try PackedFields(rows: rows, columns: count, field: width, along: .rows, word: width)
    return [
      WrittenTensor(
        "\(module).qweight", .i32, [columns, rows / 8], .plane(Arrangement(plane: 0, form: .packed(qweight)))),
      WrittenTensor("\(module).qzeros", .i32, [count, rows / 8], .plane(Arrangement(plane: 2, form: .packed(qzeros)))),
      WrittenTensor(
        "\(module).scales", groups.scale.dtype, [count, rows], .plane(Arrangement(plane: 1, form: .packed(scales)))),
    ]
  }

  func configuration(_ codec: any Codec, columns: Int, plain: [String]) -> [(key: String, value: JSONValue)] {
    guard let groups = IntegerGroups(codec) else { return [] }
    return [
      (
        "quantization_config",
        [
          "quant_method": "awq", "bits": 4, "group_size": .integer(groups.size ?? -1), "zero_point": true,
          "version": "gemm",
          "modules_to_not_convert": plain.isEmpty ? .null : .array(plain.map { .string($0) }),
        ]
      )
    ]
  }
}
