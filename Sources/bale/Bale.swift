import ArgumentParser

@main
struct Bale: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bale",
    abstract: "Converts, packs and verifies model checkpoints.",
    discussion: """
      Reads and writes safetensors, GGUF and .bale in bounded memory, keeps bytes exact where they can be exact, \
      accounts for every tensor and notices every flipped bit.

      EXAMPLES
        bale inspect models/mixtral
        bale pack models/mixtral mixtral.bale --recipe mxfp4-experts
        bale verify mixtral.bale --against models/mixtral
        bale unpack mixtral.bale restored

      EXIT STATUS
        0 done, all holds; 1 a file is bad, or differs; 2 the work could not be done.
      """,
    version: Version.text,
    subcommands: [
      Inspect.self, Convert.self, Pack.self, Unpack.self, Verify.self, Diff.self, Extract.self, MeasureExperts.self,
      Prune.self, Calibrate.self, WriteManifest.self, Sign.self, Protect.self, Repair.self,
    ])

  /// Runs the command; an error is one line on standard error and an exit status.
  static func main() {
    Interrupts.removeTemporaryFilesOnSignal()
    do {
      var command = try parseAsRoot()
      try command.run()
      try Terminal.flush()
    } catch {
      Failure.exit(error, usage: Self.self)
    }
  }
}
