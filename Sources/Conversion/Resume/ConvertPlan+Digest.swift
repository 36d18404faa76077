import ByteIO
import Checkpoints

extension ConvertPlan {
  /// The SHA-256 of all that the output's bytes follow from: the plan, and which files it reads, with their sizes and
  /// times of modification. Throws `IOError`.
  func digest(of checkpoint: any Checkpoint, pieces: Int) throws -> [UInt8] {
    let hash = SHA256()
    func add(_ fields: [String]) {
      for field in fields {
        var length: [UInt8] = []
        length.append(littleEndian: UInt64(field.utf8.count))
        hash.update(length + field.utf8)
      }
    }
    add(["convert", format.rawValue, "\(pieces)"])
    for file in files {
      add([file.name, "\(file.size)"])
      hash.update(file.header)
    }
    for output in outputs {
      add([
        "\(output.source)", output.name, "\(output.shape)", "\(output.sourceCodec.descriptor)",
        "\(output.codec.descriptor)", output.rule?.rawValue ?? "", "\(output.file)", "\(output.range)",
        output.importance.map { "\($0.entry.values)" } ?? "",
      ])
    }
    let importance = Set(outputs.compactMap { $0.importance?.matrix.path })
    for path in checkpoint.storage.map(\.path) + importance.sorted() {
      let file = try InputFile(path)
      add([path, "\(file.size)", "\(file.modified.seconds)", "\(file.modified.nanoseconds)"])
    }
    return hash.finish()
  }
}
