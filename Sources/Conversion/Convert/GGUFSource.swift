import ByteIO
import Checkpoints
import GGUF

/// What a GGUF file made from a checkpoint says.
enum GGUFSource {
  /// Keys under which the files beside a checkpoint of an unknown architecture travel: their bytes, as an array of
  /// uint8.
  static let filePrefix = "bale.file."

  /// The largest file that travels inside the metadata, in bytes.
  static let fileLimit = 64 << 20

  /// The key-values of a checkpoint that is GGUF, whichever way its bytes run, or that is seen as GGUF.
  static func metadata(of checkpoint: any Checkpoint) -> GGUFMetadata? {
    (checkpoint as? GGUFCheckpoint)?.metadata ?? (checkpoint as? BigEndianGGUFCheckpoint)?.metadata
      ?? (checkpoint as? GGUFView)?.metadata
  }

  /// The key-values of the output: the source's own; else the files that lie beside the tensors, so that they come
  /// back.
  static func outputMetadata(of checkpoint: any Checkpoint, mix: GGUFMix?) throws -> GGUFMetadata {
    if var metadata = metadata(of: checkpoint) {
      if let fileType = mix?.fileType {
        // llama-quantize puts both at the end.
        metadata["general.quantization_version"] = nil
        metadata["general.file_type"] = nil
        metadata["general.quantization_version"] = .uint32(2)
        metadata["general.file_type"] = .uint32(fileType)
      }
      return metadata
    }
    var metadata = GGUFMetadata()
    metadata["general.name"] = .string(Path.name(of: checkpoint.path))
    for file in checkpoint.files where !file.holdsTensors && file.size <= fileLimit {
      metadata[filePrefix + file.name] = .array(.uint8(try checkpoint.read(0..<file.size, of: file)))
    }
    return metadata
  }

  /// The files that travelled in the metadata. A name that would lead out of the directory is passed over.
  static func travelledFiles(of checkpoint: any Checkpoint) -> [(name: String, bytes: [UInt8])] {
    (metadata(of: checkpoint)?.entries ?? []).compactMap { entry in
      guard entry.key.hasPrefix(filePrefix), case .array(.uint8(let bytes)) = entry.value else { return nil }
      let name = String(entry.key.dropFirst(filePrefix.count))
      return Path.isContained(name) ? (name, bytes) : nil
    }
  }
}
