import Codecs
import JSON
import Tensors

/// MLX's affine quantization in groups of 32, 64 or 128.
struct MLXWriter: LayoutWriter {
  let name = "mlx"

  var defaultEncoding: any Codec {
    (try? IntegerCodec(bits: 4, grouping: .elements(64), scale: .float(.bf16), zero: .bias(.bf16)))
      ?? PlainCodec(.bf16)
  }

  func exactEncoding(for codec: any Codec) -> (any Codec)? {
    guard let groups = IntegerGroups(codec), groups.size.map([32, 64, 128].contains) == true else { return nil }
    switch groups.codec.zero {
    case .bias(let type): return type == groups.scale ? codec : nil
    case .none: return groups.scale == .f32 ? nil : groups.with(.bias(groups.scale))
    case .code: return groups.scale == .f32 ? nil : groups.with(.bias(.f32), scale: .f32)
    }
  }

  func holds(_ shape: Shape, as codec: any Codec) -> Bool {
    guard shape.rank >= 2, let groups = IntegerGroups(codec), let size = groups.size, [32, 64, 128].contains(size),
      case .bias(groups.scale) = groups.codec.zero
    else { return false }
    return shape.columns > 0 && shape.columns % size == 0
  }

  func stored(_ module: String, shape: Shape, codec: any Codec) throws(CodecError) -> [WrittenTensor] {
    guard let groups = IntegerGroups(codec) else { return [] }
    let leading = Array(shape.dimensions.dropLast())
    let count = groups.count(columns: shape.columns)
    let words = shape.columns * groups.codec.bits / 32
    return [
      WrittenTensor("\(module).weight", .u32, leading + [words], .plane(Arrangement(plane: 0))),
      WrittenTensor("\(module).scales", groups.scale.dtype, leading + [count], .plane(Arrangement(plane: 1))),
      WrittenTensor("\(module).biases", groups.scale.dtype, leading + [count], .plane(Arrangement(plane: 2))),
    ]
  }

  func configuration(_ codec: any Codec, columns: Int, plain: [String]) -> [(key: String, value: JSONValue)] {
    guard let groups = IntegerGroups(codec) else { return [] }
    let config: JSONValue = [
      "group_size": .integer(groups.size ?? 64), "bits": .integer(groups.codec.bits), "mode": "affine",
    ]
    return [("quantization", config), ("quantization_config", config)]
  }
}
