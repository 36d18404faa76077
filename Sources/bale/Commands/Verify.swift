import ArgumentParser
import BaleFormat
import Checkpoints
import Conversion
import JSON
import Verification

/// `bale verify`: is a file what was written, and what its source was?
struct Verify: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Checks that a checkpoint is intact, and what became of its source.",
    discussion: """
      Of a .bale, every byte is checked against its digest; of safetensors and GGUF, which carry no digests, the \
      structure. With --against each tensor is decoded and compared with the source: what was packed losslessly has \
      to be identical, and what was quantized has to show the error that was stored with it. With --manifest or \
      --signature every file is compared with the digests that were written down; one too many is a fault as well.

      EXAMPLES
        bale verify mixtral.bale
        bale verify mixtral.bale --against models/mixtral
        bale verify models/mixtral --manifest mixtral.manifest.json
        bale verify models/mixtral --signature model.sig --key public.pem

      EXIT STATUS
        0 all holds; 1 the file is bad; 2 the check could not be made.
      """)

  @Argument(help: "A checkpoint: a directory, or a .safetensors, .gguf or .bale file.")
  var path: String

  @Option(name: .long, help: ArgumentHelp("The checkpoint that it was made from.", valueName: "SRC"))
  var against: String?

  @Option(
    name: .long,
    help: ArgumentHelp("With --against: the .bale that it was packed with --base of.", valueName: "OTHER.bale"))
  var base: String?

  @Option(name: .long, help: ArgumentHelp("What 'bale manifest' wrote of it.", valueName: "FILE"))
  var manifest: String?

  @Option(name: .long, help: ArgumentHelp("A signature of it, by 'bale sign' or model-signing.", valueName: "FILE"))
  var signature: String?

  @Option(name: .long, help: ArgumentHelp("The public key of the signature, in PEM.", valueName: "PUB.pem"))
  var key: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "A file or directory in PATH that manifest or signature don't concern; may be repeated.", valueName: "NAME"))
  var ignore: [String] = []

  @OptionGroup var options: GlobalOptions

  func validate() throws {
    guard (signature == nil) == (key == nil) else { throw ValidationError("--signature and --key go together") }
    guard [manifest, signature, against].compactMap({ $0 }).count <= 1 else {
      throw ValidationError("--against, --manifest and --signature are checks of their own: run one at a time")
    }
    guard base == nil || against != nil else { throw ValidationError("--base goes with --against") }
  }

  func run() throws {
    let files = FileCheck(path: path, ignored: ignore, options: options)
    if let manifest { return try files.against(manifest: manifest) }
    if let signature, let key { return try files.against(signature: signature, key: key) }
    let start = ContinuousClock.now
    let progress = ProgressLine("verifying", options: options)
    defer { progress.finish() }
    let report = try Verifier(path, against: against, base: base).run(resources: options.resources) {
      progress.update($0)
    }
    progress.finish()
    if options.json {
      Terminal.print(json(report))
    } else {
      show(report, seconds: seconds(since: start))
    }
    if !report.holds { throw ExitCode(Failure.bad) }
  }

  /// Quantized tensors that are listed: those with the largest error.
  private static let shown = 8

  private func show(_ report: VerificationReport, seconds: Double) {
    for damage in report.damage { Terminal.error("bale: \(Self.text(damage))") }
    for mismatch in report.mismatches { Terminal.error("bale: \(path), \(mismatch)") }
    guard !options.quiet else { return }
    let quantized = report.comparison.filter { $0.difference.kind == .values }
    if !quantized.isEmpty {
      let worst = quantized.sorted { $0.difference.relativeMSE > $1.difference.relativeMSE }.prefix(Self.shown)
      print(table(Array(worst)))
      print(quantized.count > Self.shown ? "the \(Self.shown) worst of \(quantized.count); --json lists all\n" : "")
    }
    if !report.comparison.isEmpty {
      let same = report.comparison.count { $0.difference.kind == .identical }
      print("\(same) tensors are identical to the source's, \(quantized.count) are quantized")
    }
    let rate = Format.bytes(Int(Double(report.bytesChecked) / max(seconds, 1e-9)))
    switch (report.holds, report.format) {
    case (true, .bale):
      print("\(path): every digest holds: \(report.tensors) tensors, \(Format.bytes(report.bytesChecked)), \(rate)/s")
    case (true, let format):
      print("\(path): the structure holds: \(report.tensors) tensors; \(format.rawValue) carries no digests to check")
    case (false, _): print("\(path): BAD")
    }
  }

  private static func text(_ damage: BaleDamage) -> String {
    var text = "\(damage.file), bytes \(damage.range.lowerBound) to \(damage.range.upperBound): \(damage.reason)"
    if !damage.tensors.isEmpty { text += " (\(damage.tensors.joined(separator: ", ")))" }
    return text
  }

  private func table(_ trips: [RoundTrip]) -> String {
    var table = TextTable([
      ("tensor", .left), ("encoding", .left), ("relative MSE", .right), ("stored", .right), ("max error", .right),
      ("stored", .right),
    ])
    for trip in trips {
      table.add([
        trip.difference.name, trip.difference.encodings.1, Format.error(trip.difference.relativeMSE),
        trip.stored.map { Format.error($0.relativeMSE) } ?? "", Format.error(trip.difference.maximumError),
        trip.stored.map { Format.error($0.maximumError) } ?? "",
      ])
    }
    return table.text
  }

  private func json(_ report: VerificationReport) -> JSONValue {
    [
      "path": .string(path), "format": .string(report.format.rawValue), "holds": .bool(report.holds),
      "tensors": .integer(report.tensors), "bytes": .integer(report.bytesChecked),
      "damage": .array(
        report.damage.map {
          [
            "file": .string($0.file), "begin": .integer($0.range.lowerBound), "end": .integer($0.range.upperBound),
            "reason": .string("\($0.reason)"), "tensors": .array($0.tensors.map { .string($0) }),
          ]
        }),
      "mismatches": .array(report.mismatches.map { ["tensor": .string($0.tensor), "reason": .string($0.reason)] }),
      "comparison": .array(
        report.comparison.map {
          [
            "tensor": .string($0.difference.name), "result": .string($0.difference.kind.rawValue),
            "relative_mse": .real($0.difference.relativeMSE), "max_error": .real($0.difference.maximumError),
            "stored_relative_mse": $0.stored.map { .real($0.relativeMSE) } ?? .null,
            "stored_max_error": $0.stored.map { .real($0.maximumError) } ?? .null,
          ]
        }),
    ]
  }
}
