import ArgumentParser
import ByteIO
import Conversion
import JSON
import Parity

/// `bale protect`: parity beside a file, from which damage can be undone.
struct Protect: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Writes parity from which a damaged file can be repaired.",
    discussion: """
      Writes FILE.parity beside a file of any format and doesn't touch the file. With --parity 2%, 'bale repair' \
      brings back any 2 % of the file's blocks, wherever they are. The parity file guards itself: its index is there \
      twice, and damage to it is noticed and made good as well.

      EXAMPLES
        bale protect mixtral.bale
        bale protect model.safetensors --parity 5%
        bale protect model.gguf --block-size 64K
      """)

  @Argument(help: "The file to protect.")
  var file: String

  @Option(name: .long, help: ArgumentHelp("How much of the file may be lost.", valueName: "PERCENT"))
  var parity = Percentage(2)

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Bytes of a block, a multiple of 128. Default: about 4096 blocks. More and smaller ones survive more separate "
        + "spots of damage and take longer.", valueName: "SIZE"))
  var blockSize: ByteSize?

  @Option(name: .shortAndLong, help: ArgumentHelp("The parity file. Default: FILE.parity.", valueName: "PATH"))
  var output: String?

  @OptionGroup var outputOptions: OutputOptions
  @OptionGroup var options: GlobalOptions

  func run() throws {
    let start = ContinuousClock.now
    let job = try ProtectJob(file, percent: parity.value, blockSize: blockSize?.bytes)
    let path = output ?? ParityFile.path(for: file)
    if !outputOptions.dryRun {
      let progress = ProgressLine("protecting", options: options)
      defer { progress.finish() }
      try job.run(
        to: path, overwrite: outputOptions.force,
        resources: options.parityResources { progress.update($0) })
    }
    show(job.layout, path, seconds: seconds(since: start))
  }

  private func show(_ layout: ParityLayout, _ path: String, seconds: Double) {
    if options.json {
      let result: JSONValue = [
        "file": .string(file), "parity_file": .string(path), "bytes": .integer(layout.fileSize),
        "parity_bytes": .integer(layout.paritySize), "block_size": .integer(layout.blockSize),
        "data_blocks": .integer(layout.dataBlocks), "parity_blocks": .integer(layout.parityBlocks),
      ]
      return Terminal.print(result)
    }
    guard !options.quiet else { return }
    print(
      "\(path): \(Format.bytes(layout.paritySize)) for \(Format.bytes(layout.fileSize)): any \(layout.parityBlocks) "
        + "of \(layout.dataBlocks) blocks of \(layout.blockSize) bytes can be lost")
    if !outputOptions.dryRun {
      let rate = Format.bytes(Int(Double(layout.fileSize) / max(seconds, 1e-9)))
      print("\(Format.duration(seconds)), \(rate)/s")
    }
  }
}

/// A percentage as people give it: 2%, 0.5% or 2.
struct Percentage: ExpressibleByArgument, CustomStringConvertible {
  var value: Double

  init(_ value: Double) { self.value = value }

  init?(argument: String) {
    guard let value = Double(argument.hasSuffix("%") ? String(argument.dropLast()) : argument), value > 0,
      value <= 100
    else { return nil }
    self.value = value
  }

  var description: String { "\(value == value.rounded() ? "\(Int(value))" : "\(value)")%" }

  var defaultValueDescription: String { description }
}

extension GlobalOptions {
  /// The same limits for a job that knows neither checkpoints nor conversions.
  func parityResources(_ onProgress: @escaping ProgressHandler) -> ParityResources {
    ParityResources(threads: threads, memory: memory.bytes) { onProgress(Progress(bytesDone: $0, bytesTotal: $1)) }
  }
}
