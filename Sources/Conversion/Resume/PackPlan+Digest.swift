import ByteIO
import Checkpoints

extension PackPlan {
  /// The SHA-256 of all that the output's bytes follow from: the plan, the options, and which files are read, with their
  /// sizes and times of modification. Throws `IOError`.
  func digest(of checkpoint: any Checkpoint, options: PackOptions) throws -> [UInt8] {
    let digest = PlanDigest()
    digest.add(["pack", "\(options.shardSize ?? 0)", "\(options.sha256)", "\(options.isArchive)"])
    digest.add(options.metadata.encoded())
    for tensor in tensors {
      digest.add([
        "\(tensor.source)", tensor.name, "\(tensor.shape)", "\(tensor.sourceCodec.descriptor)",
        "\(tensor.codec.descriptor)", tensor.rule?.rawValue ?? "", "\(tensor.compressed)", "\(tensor.isShared)",
        "\(tensor.producer != nil)",
      ])
    }
    for record in records {
      digest.add(["\(record.kind)"] + record.parts.flatMap { ["\($0.tensor)", "\($0.elements)", "\($0.layout)"] })
    }
    digest.add(options.resume?.settings ?? [])
    for path in checkpoint.storage.map(\.path) + (options.resume?.files ?? []) { try digest.add(file: path) }
    return digest.finish()
  }
}
