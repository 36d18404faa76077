import Checkpoints

/// What a person should know and no error says.
enum Notice {
  /// Directories beside the checkpoint that nothing reads.
  static func skipped(_ checkpoint: any Checkpoint, options: GlobalOptions) {
    guard !options.quiet else { return }
    for name in checkpoint.skipped {
      Terminal.error("bale: note: the directory '\(name)' is not part of the checkpoint and is left out")
    }
  }

  /// Tensors that the importance matrix has nothing on.
  static func withoutImportance(_ tensors: [String], options: GlobalOptions) {
    guard !options.quiet, let first = tensors.first else { return }
    let rest = tensors.count == 1 ? "" : " and \(tensors.count - 1) more"
    Terminal.error("bale: note: the imatrix has no entry for '\(first)'\(rest): quantized without")
  }

  static func dropped(_ tensors: [(name: String, reason: String)], options: GlobalOptions) {
    guard !options.quiet else { return }
    for (name, reason) in tensors { Terminal.error("bale: note: '\(name)' is left out: \(reason)") }
  }
}
