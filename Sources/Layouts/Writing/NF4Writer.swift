import Codecs
import JSON
import Tensors

/// bitsandbytes' NF4 and FP4, plain or with double quantization.
struct NF4Writer: LayoutWriter {
  let name = "bnb-nf4"

  var defaultEncoding: any Codec {
    (try? NormalFloatCodec(.nf4, block: 64, second: 256)) ?? PlainCodec(.bf16)
  }

  func exactEncoding(for codec: any Codec) -> (any Codec)? {
    codec is NormalFloatCodec ? codec : nil
  }

  func holds(_ shape: Shape, as codec: any Codec) -> Bool { shape.rank == 2 && exactEncoding(for: codec) != nil }

  func stored(_ module: String, shape: Shape, codec: any Codec) throws(CodecError) -> [WrittenTensor] {
    guard let codec = codec as? NormalFloatCodec else { return [] }
    let blocks = (shape.elements + codec.block - 1) / codec.block
    let map = codec.table.values.flatMap { value in
      (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * UInt32($0))) }
    }
    let weight = "\(module).weight"
    let tensors = [
      WrittenTensor(weight, .u8, [(shape.elements + 1) / 2, 1], .plane(Arrangement(plane: 0))),
      WrittenTensor(
        "\(weight).absmax", codec.second == nil ? .f32 : .u8, [blocks], .plane(Arrangement(plane: 1))),
      WrittenTensor("\(weight).quant_map", .f32, [16], .bytes(map)),
    ]
    let stateName = "\(weight).quant_state.bitsandbytes__\(codec.table.rawValue)"
    guard let second = codec.second else {
      let state = Array(state(of: codec, shape, nested: "").utf8)
      return tensors + [WrittenTensor(stateName, .u8, [state.count], .bytes(state))]
    }
    return tensors + nested(weight, second: second, blocks: blocks)
      + [WrittenTensor(stateName, .u8, [Self.stateLength], stateText(of: codec, shape, second: second))]
  }

  private func nested(_ weight: String, second: Int, blocks: Int) -> [WrittenTensor] {
    [
      WrittenTensor(
        "\(weight).nested_absmax", .f32, [(blocks + second - 1) / second], .plane(Arrangement(plane: 2))),
      // The plane of the map ends with the offset, which the state has.
      WrittenTensor("\(weight).nested_quant_map", .f32, [256], .plane(Arrangement(plane: 3))),
    ]
  }

  /// Bytes of a state with an offset, whose length is known before the offset is.
  private static let stateLength = 256

  private func stateText(
    of codec: NormalFloatCodec, _ shape: Shape, second: Int
  ) -> WrittenTensor.Content {
    .text(length: Self.stateLength, plane: 3) { table in
      let offset = ScalarFloat.f32.load(table, 256)
      let nested =
        ", \"nested_blocksize\": \(second), \"nested_dtype\": \"float32\", \"nested_offset\": \(Double(offset))"
      return Array(state(of: codec, shape, nested: nested).utf8)
    }
  }

  private func state(of codec: NormalFloatCodec, _ shape: Shape, nested: String) -> String {
    let dimensions = shape.dimensions.map(String.init).joined(separator: ", ")
    return "{\"quant_type\": \"\(codec.table.rawValue)\", \"blocksize\": \(codec.block), \"dtype\": \"bfloat16\", "
      + "\"shape\": [\(dimensions)]\(nested)}"
  }

  func configuration(_ codec: any Codec, columns: Int, plain: [String]) -> [(key: String, value: JSONValue)] {
    guard let codec = codec as? NormalFloatCodec else { return [] }
    return [
      (
        "quantization_config",
        [
          "quant_method": "bitsandbytes", "load_in_4bit": true, "load_in_8bit": false,
          "bnb_4bit_quant_type": .string(codec.table.rawValue), "bnb_4bit_use_double_quant": .bool(codec.second != nil),
          "bnb_4bit_quant_storage": "uint8", "bnb_4bit_compute_dtype": "bfloat16",
          "llm_int8_skip_modules": plain.isEmpty ? .null : .array(plain.map { .string($0) }),
        ]
      )
    ]
  }
}
