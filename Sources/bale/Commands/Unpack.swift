import ArgumentParser
import ByteIO
import Checkpoints
import Conversion
import JSON

/// `bale unpack`: the original files out of a `.bale`.
struct Unpack: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Restores the original files from a .bale file.",
    discussion: """
      Files whose tensors were packed losslessly come back byte for byte, which their SHA-256 proves. Where tensors \
      were quantized, the files have the same headers and layout and the values that were kept.

      EXAMPLES
        bale unpack mixtral.bale restored
        bale unpack archive.bale restored --json
        bale unpack tuned.bale restored --base archive.bale
      """)

  @Argument(help: "A .bale file, or a shard of one.")
  var source: String

  @Argument(help: "The directory to write to.")
  var directory: String

  @Option(
    name: .long, help: ArgumentHelp("The .bale that it was packed with --base of.", valueName: "OTHER.bale"))
  var base: String?

  @OptionGroup var outputOptions: OutputOptions
  @OptionGroup var options: GlobalOptions

  func run() throws {
    let start = ContinuousClock.now
    let checkpoint = try BaleCheckpoint(source, base: base.map { try BaseModel($0) })
    let job = UnpackJob(checkpoint)
    if outputOptions.dryRun { return dryRun(checkpoint.files) }
    let progress = ProgressLine("unpacking", options: options)
    defer { progress.finish() }
    let files = try job.run(to: directory, overwrite: outputOptions.force, resources: options.resources) {
      progress.update($0)
    }
    progress.finish()
    show(files, seconds: seconds(since: start))
  }

  private func dryRun(_ files: [CheckpointFile]) {
    let bytes = files.reduce(0) { $0 + $1.size }
    if options.json {
      let result: JSONValue = [
        "bytes": .integer(bytes),
        "files": .array(files.map { ["name": .string($0.name), "bytes": .integer($0.size)] }),
      ]
      return Terminal.print(result)
    }
    guard !options.quiet else { return }
    for file in files { print("\(file.size)\t\(file.name)") }
    print("\(bytes) bytes in \(files.count) files")
  }

  private func show(_ files: [RestoredFile], seconds: Double) {
    if options.json {
      let result = JSONValue.array(
        files.map {
          [
            "name": .string($0.name), "bytes": .integer($0.size), "sha256": .string(hexadecimal($0.sha256)),
            "original": .bool($0.isOriginal),
          ]
        })
      return Terminal.print(result)
    }
    guard !options.quiet else { return }
    var table = TextTable([("file", .left), ("size", .right), ("SHA-256", .left), ("", .left)])
    for file in files {
      table.add([
        file.name, Format.bytes(file.size), hexadecimal(file.sha256.prefix(8)) + "…",
        file.isOriginal ? "the original, byte for byte" : "values as packed, not the original bytes",
      ])
    }
    print(table.text)
    let bytes = files.reduce(0) { $0 + $1.size }
    print(
      "\n\(Format.bytes(bytes)) in \(Format.duration(seconds)), \(Format.bytes(Int(Double(bytes) / max(seconds, 1e-9))))/s"
    )
  }
}
