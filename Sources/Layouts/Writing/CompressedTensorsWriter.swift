import Codecs
import JSON
import Tensors

/// compressed-tensors' pack-quantized, with the configuration that vLLM reads; odd widths are packed densely, as since
/// version 0.18.
struct CompressedTensorsWriter: LayoutWriter {
  let name = "compressed-tensors"

  var defaultEncoding: any Codec {
    (try? IntegerCodec(bits: 4, grouping: .elements(128), scale: .float(.bf16))) ?? PlainCodec(.bf16)
  }

  func exactEncoding(for codec: any Codec) -> (any Codec)? {
    guard let groups = IntegerGroups(codec), groups.codec.zero == .code || groups.codec.zero == .none else {
      return nil
    }
    return codec
  }

  func holds(_ shape: Shape, as codec: any Codec) -> Bool {
    guard shape.rank == 2 || shape.rank == 3, let groups = exactEncoding(for: codec).flatMap(IntegerGroups.init) else {
      return false
    }
    return shape.columns > 0 && shape.columns % (groups.size ?? 1) == 0 && shape.columns * groups.codec.bits % 8 == 0
  }

  func stored(_ module: String, shape: Shape, codec: any Codec) throws(CodecError) -> [WrittenTensor] {
    guard let groups = IntegerGroups(codec) else { return [] }
    let bits = groups.codec.bits
    let isSymmetric = groups.codec.zero == .none
    let (columns, count, leading) = (shape.columns, groups.count(columns: shape.columns), shape.dimensions.dropLast())
    let codes = try PackedFields(
      rows: shape.rows, columns: columns, field: bits, word: 32,
      change: isSymmetric ? .flip(1 << UInt32(bits - 1)) : .none)
    var tensors = [
      WrittenTensor(
        "\(module).weight_packed", .i32, leading + [codes.words], .plane(Arrangement(plane: 0, form: .packed(codes)))),
      WrittenTensor("\(module).weight_scale", groups.scale.dtype, leading + [count], .plane(Arrangement(plane: 1))),
      WrittenTensor(
        "\(module).weight_shape", .i64, [shape.rank],
        .bytes(shape.dimensions.flatMap { size in (0..<8).map { UInt8(truncatingIfNeeded: size >> (8 * $0)) } })),
    ]
    if !isSymmetric {
      let outputs = leading.last ?? 1
      let zeros = try PackedFields(
        slices: outputs == 0 ? 0 : shape.rows / outputs, rows: outputs, columns: count, field: 8, bits: bits,
        along: .rows, order: .words, word: 32)
      tensors.append(
        WrittenTensor(
          "\(module).weight_zero_point", .i32, leading.dropLast() + [zeros.words, count],
          .plane(Arrangement(plane: 2, form: .packed(zeros)))))
    }
    return tensors
  }

  func configuration(_ codec: any Codec, columns: Int, plain: [String]) -> [(key: String, value: JSONValue)] {
    guard let groups = IntegerGroups(codec) else { return [] }
    let weights: JSONValue = [
      "num_bits": .integer(groups.codec.bits), "type": "int", "symmetric": .bool(groups.codec.zero == .none),
      "group_size": groups.size.map { .integer($0) } ?? .null,
      "strategy": groups.size == nil ? "channel" : "group", "dynamic": false, "actorder": .null,
      "block_structure": .null, "observer": "minmax",
    ]
    return [
      (
        "quantization_config",
        [
          "quant_method": "compressed-tensors", "format": "pack-quantized", "quantization_status": "compressed",
          "version": "0.18.0",
          "config_groups": [
            "group_0": [
              "targets": ["Linear"], "weights": weights, "input_activations": .null, "output_activations": .null,
            ]
          ],
          "ignore": .array((["lm_head"] + plain.filter { $0 != "lm_head" }).map { .string($0) }),
          "kv_cache_scheme": .null, "global_compression_ratio": .null,
        ]
      )
    ]
  }
}
