import Checkpoints
import Codecs
import JSON
import Layouts
import Tensors

/// What becomes of a model's configuration when tensors that were quantized are written as plain ones: a loader that
/// believed the old one would look for codes.
enum PlainConfiguration {
  private static let name = "config.json"

  /// True for a file that describes only how tensors were quantized.
  static func isObsolete(_ file: CheckpointFile) -> Bool { QuantizationConfiguration.files.contains(file.name) }

  /// config.json without its quantization, and with the dtype that tensors have now; nil if there is none, or it isn't
  /// JSON.
  static func make(of checkpoint: any Checkpoint, dtype: DType?) throws -> (name: String, bytes: [UInt8])? {
    guard let file = checkpoint.files.first(where: { $0.name == name }), file.size <= 64 << 20,
      var config = try? JSONValue(parsing: checkpoint.read(0..<file.size, of: file), duplicateKeys: .kept).object
    else { return nil }
    clean(&config, dtype)
    if var text = config["text_config"]?.object {
      clean(&text, dtype)
      config["text_config"] = .object(text)
    }
    return (name, encoded(config))
  }

  /// The same file with other members; nil if it isn't JSON's object.
  static func changed(
    _ file: (name: String, bytes: [UInt8]), _ change: (inout JSONObject) -> Void
  ) throws -> (name: String, bytes: [UInt8])? {
    guard var config = try JSONValue(parsing: file.bytes, duplicateKeys: .kept).object else { return nil }
    change(&config)
    return (file.name, encoded(config))
  }

  private static func encoded(_ config: JSONObject) -> [UInt8] {
    JSONValue.object(config).encoded(.python(indent: 2)) + [UInt8(ascii: "\n")]
  }

  private static func clean(_ config: inout JSONObject, _ dtype: DType?) {
    for key in ["quantization_config", "quantization", "compression_config"] where config[key] != nil {
      config[key] = nil
    }
    let names: [DType: String] = [.bf16: "bfloat16", .f16: "float16", .f32: "float32"]
    guard let dtype = dtype.flatMap({ names[$0] }) else { return }
    for key in ["torch_dtype", "dtype"] where config[key] != nil { config[key] = .string(dtype) }
  }
}
