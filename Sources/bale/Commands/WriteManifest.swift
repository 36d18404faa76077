import ArgumentParser
import ByteIO
import Conversion
import JSON
import Manifests

/// `bale manifest`: digests of files that carry none.
struct WriteManifest: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "manifest",
    abstract: "Writes the digests of a model's files, for 'bale verify --manifest'.",
    discussion: """
      safetensors and GGUF carry no digests. A manifest does: the SHA-256 of every file, which published digests can \
      be compared with, and a fast digest of every 4 MiB, which says where damage is.

      EXAMPLES
        bale manifest models/mixtral -o mixtral.manifest.json
        bale verify models/mixtral --manifest mixtral.manifest.json
      """)

  @Argument(help: "A directory or a file of any kind.")
  var path: String

  @Option(name: .shortAndLong, help: ArgumentHelp("The manifest to write.", valueName: "FILE"))
  var output: String

  @Option(
    name: .long, help: ArgumentHelp("A file or directory in PATH to leave out; may be repeated.", valueName: "NAME"))
  var ignore: [String] = []

  @OptionGroup var outputOptions: OutputOptions
  @OptionGroup var options: GlobalOptions

  func run() throws {
    let start = ContinuousClock.now
    let ignored = ignore + ModelFiles.gitNames + [ModelFiles.name(of: output, in: path)].compactMap { $0 }
    let files = try ModelFiles(of: path, ignored: ignored, followsLinks: true)
    if outputOptions.dryRun { return listing(files.files) }
    let file = try OutputFile(output, overwrite: outputOptions.force)
    let progress = ProgressLine("digesting", options: options)
    defer { progress.finish() }
    let manifest = try Manifest(of: files, ignored: ignored, threads: options.threads) {
      progress.update(Progress(bytesDone: $0, bytesTotal: $1))
    }
    let bytes = manifest.encoded
    try file.write(bytes, at: 0)
    try file.commit(length: bytes.count)
    progress.finish()
    if options.json { return print(String(decoding: bytes, as: UTF8.self), terminator: "") }
    guard !options.quiet else { return }
    let total = manifest.files.reduce(0) { $0 + $1.size }
    let rate = Format.bytes(Int(Double(total) / max(seconds(since: start), 1e-9)))
    print("\(output): digests of \(manifest.files.count) files, \(Format.bytes(total)), \(rate)/s")
  }

  private func listing(_ files: [ModelFile]) {
    if options.json {
      let names = JSONValue.array(files.map { .string($0.name) })
      return Terminal.print(names)
    }
    guard !options.quiet else { return }
    for file in files { print(file.name) }
  }
}
