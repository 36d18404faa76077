import ByteIO
import Codecs
import JSON
import Tensors

/// Layouts of floats of 4 and 8 bits that other programs load, each of one encoding whose planes are stored as they are.
enum WrittenFloatLayout: String, Sendable, CaseIterable, LayoutWriter {
  /// compressed-tensors `float-quantized`: E4M3 with a scale a channel.
  case compressedFP8 = "compressed-tensors-fp8"
  /// compressed-tensors `mxfp4-pack-quantized`.
  case compressedMXFP4 = "compressed-tensors-mxfp4"
  /// compressed-tensors `nvfp4-pack-quantized`, weights alone.
  case compressedNVFP4 = "compressed-tensors-nvfp4"
  /// E4M3 in blocks of 128 x 128 with `weight_scale_inv`, as DeepSeek-V3 and Qwen3-FP8 have them.
  case blockFP8 = "fp8-block"

  var name: String { rawValue }

  /// The encoding whose planes are the stored tensors.
  var defaultEncoding: any Codec {
    let codec: (any Codec)? =
      switch self {
      case .compressedFP8: try? FP8Codec(rows: .count(1))
      case .compressedMXFP4: MXCodec(.e2m1)
      case .compressedNVFP4: NVFP4Codec(global: .divide)
      case .blockFP8: try? FP8Codec(rows: .count(128), columns: .count(128))
      }
    return codec ?? PlainCodec(.bf16)
  }

  func exactEncoding(for codec: any Codec) -> (any Codec)? {
    codec.descriptor == defaultEncoding.descriptor ? codec : nil
  }

  func holds(_ shape: Shape, as codec: any Codec) -> Bool {
    shape.rank == 2 && parts(rows: shape.rows, columns: shape.columns) != nil
  }

  func stored(_ module: String, shape: Shape, codec: any Codec) throws(CodecError) -> [WrittenTensor] {
    (parts(rows: shape.rows, columns: shape.columns) ?? []).enumerated().map { plane, part in
      WrittenTensor("\(module).\(part.suffix)", part.dtype, part.shape, .plane(Arrangement(plane: plane)))
    }
  }

  func configuration(_ codec: any Codec, columns: Int, plain: [String]) -> [(key: String, value: JSONValue)] {
    [("quantization_config", configuration(ignored: plain))]
  }

  /// A stored tensor: what its name ends with in place of `weight`, and how it holds a plane.
  struct Part {
    var suffix: String
    var dtype: DType
    var shape: [Int]
  }

  /// The stored tensors of a matrix, one a plane; nil for one that the layout doesn't take.
  func parts(rows: Int, columns: Int) -> [Part]? {
    switch self {
    case .compressedFP8:
      return [
        Part(suffix: "weight", dtype: .f8e4m3, shape: [rows, columns]),
        Part(suffix: "weight_scale", dtype: .f32, shape: [rows, 1]),
      ]
    case .compressedMXFP4:
      guard columns % 32 == 0 else { return nil }
      return [
        Part(suffix: "weight_packed", dtype: .u8, shape: [rows, columns / 2]),
        Part(suffix: "weight_scale", dtype: .u8, shape: [rows, columns / 32]),
      ]
    case .compressedNVFP4:
      guard columns % 16 == 0 else { return nil }
      return [
        Part(suffix: "weight_packed", dtype: .u8, shape: [rows, columns / 2]),
        Part(suffix: "weight_scale", dtype: .f8e4m3, shape: [rows, columns / 16]),
        Part(suffix: "weight_global_scale", dtype: .f32, shape: [1]),
      ]
    case .blockFP8:
      let grid = [rows.dividedRoundingUp(by: 128), columns.dividedRoundingUp(by: 128)]
      return [
        Part(suffix: "weight", dtype: .f8e4m3, shape: [rows, columns]),
        Part(suffix: "weight_scale_inv", dtype: .f32, shape: grid),
      ]
    }
  }

  /// `quantization_config` of config.json.
  /// - Parameter ignored: modules whose weights are left as they are.
  func configuration(ignored: [String]) -> JSONValue {
    let ignored = JSONValue.array(ignored.map { .string($0) })
    if self == .blockFP8 {
      return [
        "quant_method": "fp8", "fmt": "e4m3", "activation_scheme": "dynamic", "weight_block_size": [128, 128],
        "modules_to_not_convert": ignored,
      ]
    }
    var weights: JSONObject = JSONObject([
      .init("num_bits", .integer(self == .compressedFP8 ? 8 : 4)), .init("type", "float"), .init("symmetric", true),
      .init("dynamic", false),
    ])
    var group: [(String, JSONValue)] = [("targets", ["Linear"])]
    let format: JSONValue
    switch self {
    case .compressedMXFP4:
      format = "mxfp4-pack-quantized"
      weights["strategy"] = "group"
      weights["group_size"] = 32
      weights["scale_dtype"] = "torch.uint8"
    case .compressedNVFP4:
      format = "nvfp4-pack-quantized"
      weights["strategy"] = "tensor_group"
      weights["group_size"] = 16
      weights["scale_dtype"] = "torch.float8_e4m3fn"
    default:
      format = "float-quantized"
      weights["strategy"] = "channel"
      let activations: JSONValue = [
        "num_bits": 8, "type": "float", "symmetric": true, "strategy": "token", "dynamic": true,
      ]
      group.append(("input_activations", activations))
    }
    group.append(("weights", .object(weights)))
    let groups: JSONValue = ["group_0": .object(JSONObject(group.map { JSONObject.Member($0.0, $0.1) }))]
    return [
      "quant_method": "compressed-tensors", "format": format, "quantization_status": "compressed",
      "config_groups": groups, "ignore": ignored,
    ]
  }
}
