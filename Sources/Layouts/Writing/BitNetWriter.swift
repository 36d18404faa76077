import Codecs
import JSON
import Tensors

/// BitNet b1.58 as transformers loads it: `autobitlinear`, whose scale multiplies.
struct BitNetWriter: LayoutWriter {
  let name = "bitnet"

  var defaultEncoding: any Codec { MeanTernary() ?? PlainCodec(.bf16) }

  func exactEncoding(for codec: any Codec) -> (any Codec)? {
    codec.descriptor == defaultEncoding.descriptor ? codec : nil
  }

  func holds(_ shape: Shape, as codec: any Codec) -> Bool { shape.rank == 2 && shape.rows % 4 == 0 }

  func stored(_ module: String, shape: Shape, codec: any Codec) throws(CodecError) -> [WrittenTensor] {
    let words = shape.rows / 4
    let fields = try PackedFields(
      rows: shape.rows, columns: shape.columns, field: 2, along: .rows, order: .words, packing: .split, word: 8,
      words: words)
    return [
      WrittenTensor(
        "\(module).weight", .u8, [words, shape.columns], .plane(Arrangement(plane: 0, form: .packed(fields)))),
      WrittenTensor("\(module).weight_scale", .bf16, [1], .plane(Arrangement(plane: 1))),
    ]
  }

  func configuration(_ codec: any Codec, columns: Int, plain: [String]) -> [(key: String, value: JSONValue)] {
    [
      (
        "quantization_config",
        [
          "quant_method": "bitnet", "linear_class": "autobitlinear", "quantization_mode": "offline",
          "modules_to_not_convert": .array(plain.map { .string($0) }),
        ]
      )
    ]
  }
}
