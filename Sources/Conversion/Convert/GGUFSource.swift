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
  static func outputMetadata(
    of checkpoint: any Checkpoint, quantization: GGUFQuantization?
  ) throws -> GGUFMetadata {
    if let metadata = metadata(of: checkpoint) { return quantization.map { quantized(metadata, $0) } ?? metadata }
    var metadata = GGUFMetadata()
    metadata["general.name"] = .string(Path.name(of: checkpoint.path))
    for file in checkpoint.files where !file.holdsTensors && file.size <= fileLimit {
      metadata[filePrefix + file.name] = .array(.uint8(try checkpoint.read(0..<file.size, of: file)))
    }
    return metadata
  }

  /// What llama-quantize says of a model that it has quantized: its keys come last, in its order.
  private static func quantized(_ metadata: GGUFMetadata, _ quantization: GGUFQuantization) -> GGUFMetadata {
    var metadata = metadata
    func setLast(_ key: String, _ value: GGUFValue) {
      metadata[key] = nil
      metadata[key] = value
    }
    setLast("general.quantization_version", .uint32(2))
    setLast("general.file_type", .uint32(quantization.fileType.rawValue))
    guard let importance = quantization.importance else { return metadata }
    setLast("quantize.imatrix.file", .string(shortened(GGUFString(importance.path))))
    if let dataset = importance.datasets.first {
      setLast("quantize.imatrix.dataset", .string(shortened(dataset)))
    }
    setLast("quantize.imatrix.entries_count", .uint32(UInt32(clamping: importance.count)))
    if importance.chunks > 0 { setLast("quantize.imatrix.chunks_count", .uint32(UInt32(clamping: importance.chunks))) }
    return metadata
  }

  /// llama-quantize keeps no more than 127 bytes of a text.
  private static func shortened(_ text: GGUFString) -> GGUFString { GGUFString(bytes: Array(text.bytes.prefix(127))) }

  /// The files that travelled in the metadata. A name that would lead out of the directory is passed over.
  static func travelledFiles(of checkpoint: any Checkpoint) -> [(name: String, bytes: [UInt8])] {
    (metadata(of: checkpoint)?.entries ?? []).compactMap { entry in
      guard entry.key.hasPrefix(filePrefix), case .array(.uint8(let bytes)) = entry.value else { return nil }
      let name = String(entry.key.dropFirst(filePrefix.count))
      return Path.isContained(name) ? (name, bytes) : nil
    }
  }
}
