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
    if let metadata = Self.stored(in: checkpoint) {
      self = metadata
      return
    }
    self.init()
    self["general.name"] = .string(Path.name(of: checkpoint.path))
    for file in checkpoint.files where !file.holdsTensors && file.size <= Self.fileLimit {
      self[Self.filePrefix + file.name] = .array(.uint8(try checkpoint.read(0..<file.size, of: file)))
    }
  }

  /// The metadata of a GGUF checkpoint, whichever way its bytes run.
  static func stored(in checkpoint: any Checkpoint) -> GGUFMetadata? {
    (checkpoint as? GGUFCheckpoint)?.metadata ?? (checkpoint as? BigEndianGGUFCheckpoint)?.metadata
  }

  /// The files that travelled in the metadata. A name that would lead out of the directory is passed over.
  var travelledFiles: [(name: String, bytes: [UInt8])] {
    entries.compactMap { entry in
      guard entry.key.hasPrefix(Self.filePrefix), case .array(.uint8(let bytes)) = entry.value else { return nil }
      let name = String(entry.key.dropFirst(Self.filePrefix.count))
      return Path.isContained(name) ? (name, bytes) : nil
    }
  }
}
