import Codecs
import JSON
import Tensors

/// GPTQ with zero points as they are (`gptq_v2`), 2, 3, 4 and 8 bits, without act-order.
struct GPTQWriter: LayoutWriter {
  let name = "gptq"

  var defaultEncoding: any Codec {
    (try? IntegerCodec(bits: 4, grouping: .elements(128), scale: .float(.f16), zero: .code)) ?? PlainCodec(.f16)
  }

  func exactEncoding(for codec: any Codec) -> (any Codec)? {
    guard let groups = IntegerGroups(codec), [2, 3, 4, 8].contains(groups.codec.bits) else { return nil }
    return groups.codec.zero == .code || groups.codec.zero == .none ? groups.with(.code) : nil
  }

  func holds(_ shape: Shape, as codec: any Codec) -> Bool {
    guard shape.rank == 2, let groups = IntegerGroups(codec), groups.codec.zero == .code else { return false }
    return shape.columns * groups.codec.bits % 32 == 0 && shape.rows * groups.codec.bits % 32 == 0
  }

  func stored(_ module: String, shape: Shape, codec: any Codec) throws(CodecError) -> [WrittenTensor] {
    guard let groups = IntegerGroups(codec) else { return [] }
    let (rows, columns, count, bits) = (
      shape.rows, shape.columns, groups.count(columns: shape.columns), groups.codec.bits
    )
    let qweight = try PackedFields(rows: rows, columns: columns, field: bits, order: .words, word: 32)
    let qzeros = try PackedFields(rows: rows, columns: count, field: 8, bits: bits, along: .rows, word: 32)
    let width = groups.scale.bytes * 8
    let scales = try PackedFields(rows: rows, columns: count, field: width, along: .rows, word: width)
    let index = (0..<columns).map { groups.size == nil ? 0 : $0 / (groups.size ?? 1) }
    return [
      WrittenTensor(
        "\(module).qweight", .i32, [qweight.words, rows], .plane(Arrangement(plane: 0, form: .packed(qweight)))),
      WrittenTensor(
        "\(module).qzeros", .i32, [count, qzeros.words], .plane(Arrangement(plane: 2, form: .packed(qzeros)))),
      WrittenTensor(
        "\(module).scales", groups.scale.dtype, [count, rows], .plane(Arrangement(plane: 1, form: .packed(scales)))),
      WrittenTensor("\(module).g_idx", .i32, [columns], .bytes(index.flatMap(littleEndian))),
    ]
  }

  func configuration(_ codec: any Codec, plain: [String]) -> [(key: String, value: JSONValue)] {
    guard let groups = IntegerGroups(codec) else { return [] }
    var config: JSONObject = JSONObject([
      .init("quant_method", "gptq"), .init("bits", .integer(groups.codec.bits)),
      .init("group_size", .integer(groups.size ?? -1)), .init("desc_act", false), .init("sym", false),
      .init("checkpoint_format", "gptq_v2"), .init("lm_head", false), .init("pack_dtype", "int32"),
    ])
    if !plain.isEmpty {
      config["dynamic"] = .object(JSONObject(plain.map { .init("-:^\(escaped($0))$", [:]) }))
    }
    return [("quantization_config", .object(config))]
  }

  /// A module's name as a regular expression.
  private func escaped(_ name: String) -> String { name.split(separator: ".").joined(separator: "\\.") }

  private func littleEndian(_ value: Int) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
}
