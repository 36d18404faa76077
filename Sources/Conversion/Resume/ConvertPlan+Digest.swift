import ByteIO
import Checkpoints

extension ConvertPlan {
  /// The SHA-256 of all that the output's bytes follow from: the plan, and which files it reads, with their sizes and
  /// times of modification. Throws `IOError`.
  func digest(of checkpoint: any Checkpoint, pieces: Int) throws -> [UInt8] {
    let digest = PlanDigest()
    digest.add(["convert", format.rawValue, "\(pieces)"])
    for file in files {
      digest.add([file.name, "\(file.size)"])
      digest.add(file.header)
    }
    for output in outputs {
      digest.add([
        "\(output.source)", output.name, "\(output.shape)", "\(output.sourceCodec.descriptor)",
        "\(output.codec.descriptor)", output.rule?.rawValue ?? "", "\(output.file)", "\(output.range)",
        output.importance.map { "\($0.entry.values)" } ?? "",
      ])
    }
    let importance = Set(outputs.compactMap { $0.importance?.matrix.path })
    for path in checkpoint.storage.map(\.path) + importance.sorted() {
      try digest.add(file: path)
    }
    return digest.finish()
  }
}
