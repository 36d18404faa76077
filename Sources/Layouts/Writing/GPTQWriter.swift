import ByteIO
import Codecs
import JSON
import Tensors

/// GPTQ with zero points as they are (`gptq_v2`), 2, 3, 4 and 8 bits; with act-order what has it already.
struct GPTQWriter: LayoutWriter {
  let name = "gptq"

  var defaultEncoding: any Codec {
    (try? IntegerCodec(bits: 4, grouping: .elements(128), scale: .float(.f16), zero: .code)) ?? PlainCodec(.f16)
  }

  func exactEncoding(for codec: any Codec) -> (any Codec)? {
    if Parts(codec, columns: 1) != nil { return codec }
    guard let groups = IntegerGroups(codec), groups.codec.zero == .none, let moved = groups.with(.code) else {
      return nil
    }
    return Parts(moved, columns: 1) == nil ? nil : moved
  }

  func holds(_ shape: Shape, as codec: any Codec) -> Bool {
    guard shape.rank == 2, let parts = Parts(codec, columns: shape.columns) else { return false }
    return shape.columns * parts.bits % 32 == 0 && shape.rows * parts.bits % 32 == 0
  }

  /// What the stored tensors need to know of an encoding.
  private struct Parts {
    var bits: Int
    var scale: ScalarFloat
    /// Groups of a row.
    var count: Int
    /// Elements a group; nil for a row.
    var size: Int?
    /// True if a plane names the group of each column.
    var isIndexed = false

    /// Nil for an encoding that GPTQ doesn't hold.
    init?(_ codec: (any Codec)?, columns: Int) {
      if let codec = codec as? IntegersCodec, case .indexed(let groups) = codec.grouping, codec.zero == .code {
        (bits, scale, count, isIndexed) = (codec.bits, codec.scale, groups, true)
        size = columns.dividedRoundingUp(by: groups)
      } else if let codec, let groups = IntegerGroups(codec), groups.codec.zero == .code {
        (bits, scale, size) = (groups.codec.bits, groups.scale, groups.size)
        count = groups.count(columns: columns)
      } else {
        return nil
      }
      guard [2, 3, 4, 8].contains(bits) else { return nil }
    }
  }

  func stored(_ module: String, shape: Shape, codec: any Codec) throws(CodecError) -> [WrittenTensor] {
    guard let parts = Parts(codec, columns: shape.columns) else { return [] }
    let (rows, columns, count, bits) = (shape.rows, shape.columns, parts.count, parts.bits)
    let qweight = try PackedFields(rows: rows, columns: columns, field: bits, order: .words, word: 32)
    let qzeros = try PackedFields(rows: rows, columns: count, field: 8, bits: bits, along: .rows, word: 32)
    let width = parts.scale.bytes * 8
    let scales = try PackedFields(rows: rows, columns: count, field: width, along: .rows, word: width)
    let index = (0..<columns).map { column in parts.size.map { column / $0 } ?? 0 }
    return [
      WrittenTensor(
        "\(module).qweight", .i32, [qweight.words, rows], .plane(Arrangement(plane: 0, form: .packed(qweight)))),
      WrittenTensor(
        "\(module).qzeros", .i32, [count, qzeros.words], .plane(Arrangement(plane: 2, form: .packed(qzeros)))),
      WrittenTensor(
        "\(module).scales", parts.scale.dtype, [count, rows], .plane(Arrangement(plane: 1, form: .packed(scales)))),
      WrittenTensor(
        "\(module).g_idx", .i32, [columns],
        parts.isIndexed ? .plane(Arrangement(plane: 3)) : .bytes(index.flatMap(littleEndian))),
    ]
  }

  func configuration(_ codec: any Codec, columns: Int, plain: [String]) -> [(key: String, value: JSONValue)] {
    guard let parts = Parts(codec, columns: columns) else { return [] }
    var config: JSONObject = JSONObject([
      .init("quant_method", "gptq"), .init("bits", .integer(parts.bits)),
      .init("group_size", .integer(parts.size ?? -1)), .init("desc_act", .bool(parts.isIndexed)), .init("sym", false),
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
