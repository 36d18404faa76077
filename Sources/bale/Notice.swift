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

  static func dropped(_ tensors: [(name: String, reason: String)], options: GlobalOptions) {
    guard !options.quiet else { return }
    for (name, reason) in tensors { Terminal.error("bale: note: '\(name)' is left out: \(reason)") }
  }
}
