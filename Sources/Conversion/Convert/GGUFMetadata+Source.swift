import ByteIO
import Checkpoints
import GGUF

/// What a GGUF file made from another container says: the source's own key-values where it has them; else the files
/// that lie beside the tensors, so that they come back.
extension GGUFMetadata {
  /// Keys under which the files beside a checkpoint travel: their bytes, as an array of uint8.
  static let filePrefix = "bale.file."

  /// The largest file that travels inside the metadata, in bytes.
  static let fileLimit = 64 << 20

  init(of checkpoint: any Checkpoint) throws {
    if let gguf = checkpoint as? GGUFCheckpoint {
      self = gguf.metadata
      return
    }
    self.init()
    self["general.name"] = .string(Path.name(of: checkpoint.path))
    for file in checkpoint.files where !file.holdsTensors && file.size <= Self.fileLimit {
      self[Self.filePrefix + file.name] = .array(.uint8(try checkpoint.read(0..<file.size, of: file)))
    }
  }
}
