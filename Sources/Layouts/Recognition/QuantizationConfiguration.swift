import ByteIO
import Checkpoints
import Codecs
import JSON
import Tensors

/// What the files beside the tensors say of their quantization.
public struct QuantizationConfiguration: Sendable {
  /// config.json; nil if there is none.
  public let model: JSONValue?
  /// `quantization_config`, wherever it was found: in config.json, under `text_config` or `compression_config`, or a
  /// file of its own.
  public let quantization: JSONValue?
  /// MLX's `quantization` of config.json.
  public let mlx: JSONValue?
  /// Optimum Quanto's map: what each module is quantized to.
  public let quanto: JSONValue?

  /// Files that say nothing once the tensors are plain.
  public static let files = [
    "quantize_config.json", "quant_config.json", "hf_quant_config.json", "quanto_qmap.json",
  ]

  private static let limit = 64 << 20
  /// What no layout stores codes in.
  private static let plain: Set<DType> = [.f64, .f32, .f16, .bf16]

  /// Reads the files. Throws `IOError`, or `LayoutError` on one that isn't JSON, unless no tensor can be quantized.
  public init(_ checkpoint: any FileCheckpoint) throws {
    let isPlain = checkpoint.tensors.allSatisfy { Self.plain.contains(($0.codec as? PlainCodec)?.dtype ?? .u8) }
    func read(_ name: String) throws -> JSONValue? {
      guard let bytes = try Self.bytes(name, beside: checkpoint) else { return nil }
      do {
        return try JSONValue(parsing: bytes, duplicateKeys: .kept)
      } catch {
        if isPlain { return nil }
        throw LayoutError(.value("'\(name)' is not JSON: \(error)"), file: checkpoint.path)
      }
    }
    let model = try read("config.json")
    self.model = model
    let own = try read("quantize_config.json") ?? read("quant_config.json") ?? read("hf_quant_config.json")
    let places = [model, model?["text_config"], model?["compression_config"]]
    let nested = places.lazy.compactMap { $0?["quantization_config"] }.first { $0.object != nil }
    quantization = nested ?? model?["compression_config"] ?? own
    mlx = model?["quantization"]
    quanto = try read("quanto_qmap.json")
  }

  private static func bytes(_ name: String, beside checkpoint: any FileCheckpoint) throws -> [UInt8]? {
    if let file = checkpoint.files.first(where: { $0.name == name }) {
      return file.size <= limit ? try checkpoint.read(0..<file.size, of: file) : nil
    }
    // One file of a directory: what lies beside it speaks of it too.
    guard !Path.isDirectory(checkpoint.path), let file = try? InputFile(Path.join(checkpoint.directory, name)) else {
      return nil
    }
    return file.size <= limit ? try file.bytes(0..<file.size) : nil
  }

  /// `quant_method` in lower case; for HQQ, which nests it, as well.
  public var method: String? {
    quantization?["quant_method"]?.string.map { $0.lowercased() }
  }

  /// The first integer among some keys of the quantization.
  public func integer(_ keys: String...) -> Int? {
    keys.lazy.compactMap { quantization?[$0]?.int }.first
  }

  public func string(_ keys: String...) -> String? {
    keys.lazy.compactMap { quantization?[$0]?.string }.first
  }

  public func bool(_ keys: String...) -> Bool? {
    keys.lazy.compactMap { quantization?[$0]?.bool }.first
  }
}
