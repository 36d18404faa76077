import ByteIO
import Checkpoints

/// A way in which a library stores quantized tensors. One file a layout, one line in `Layouts.all`.
public protocol Layout: Sendable {
  /// The library's name for it.
  var name: String { get }

  /// The tensors stored in this layout, recognised by their names, shapes and dtypes, and by the configuration where
  /// those leave a choice. No weight is read. Throws `LayoutError` naming a tensor that is incomplete or contradicts
  /// the configuration, and `IOError`.
  func tensors(in stored: StoredTensors) throws -> [LogicalTensor]
}

/// The layouts that are known.
public enum Layouts {
  /// In the order in which they are tried: a stored tensor belongs to the first that takes it.
  public static let all: [any Layout] = [
    BitsAndBytes(), LLMInt8(), GPTQ(), AWQ(), GemmaQAT(), BitNet(), CompressedTensors(), MLX(), HQQ(), Quanto(),
    TorchAO(),
    GPTOSSExperts(), CompressedTensorsFloat(), ModelOpt(), ModelOptInt4(), AQLM(), MLXFloat(), TorchAOFloat(),
    ScaledFP8(), FakeQuantize(), AIMETEncodings(),
  ]

  /// Opens a checkpoint and sees through the layouts of its tensors. Throws what `Checkpoints.open` throws, and
  /// `LayoutError`, `ONNXError`, and `TorchError` for what SpQR's quantizer saved.
  public static func open(_ path: String, arithmetic: Arithmetic = .exact) throws -> any Checkpoint {
    if let legacy = try LegacySpQRCheckpoint(path) { return legacy }
    let checkpoint = try Checkpoints.open(path)
    if let model = checkpoint as? ONNXCheckpoint {
      return try LayoutCheckpoint(model, layouts: [ONNXLayout()], arithmetic: arithmetic)
    }
    guard let files = checkpoint as? SafetensorsCheckpoint else { return checkpoint }
    if let published = try PublishedSpQRCheckpoint(files) { return published }
    let seen = try LayoutCheckpoint(files, arithmetic: arithmetic)
    return seen.logical.isEmpty && seen.refusal == nil ? checkpoint : seen
  }
}
