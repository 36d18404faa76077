import ArgumentParser
import ByteIO
import Checkpoints
import Conversion
import Experts
import JSON
import Layouts

/// `bale experts`: what the experts of a model share.
struct MeasureExperts: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "experts",
    abstract: "Measures what the experts of a model share, and what sharing would save.",
    discussion: """
      For each layer and matrix: the mean cosine of pairs of experts as stored and with their hidden neurons aligned, \
      the bits per weight that any linear joint code could save, and the net saving predicted for real encodings at \
      equal error: entropy-coded (trellis, what 'bale pack --dedupe-experts' writes) and of fixed width (beside int4). \
      Experts that began as copies of one network share much; those trained from scratch share nothing.

      Reads one layer at a time, in strips: memory doesn't grow with the size of the experts.

      EXAMPLES
        bale experts models/mixtral
        bale experts model.gguf --json
        bale experts mixtral.bale --html experts.html --curve
        bale experts models/mixtral --html experts.html --curve --measured points.json
      """)

  @Argument(help: "A checkpoint: a directory, or a .safetensors, .gguf or .bale file.")
  var model: String

  @Option(name: .long, help: ArgumentHelp("Write a page with similarity maps and dendrograms.", valueName: "FILE"))
  var html: String?

  @Flag(name: .long, help: "Encode a sample at rates from 0.5 to 4.25 bits a weight, beside the rate-distortion bound.")
  var curve = false

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Draw these points too: JSON as Scripts/expert-curve.py writes it, with perplexities.", valueName: "FILE"))
  var measured: String?

  @Flag(name: .long, help: "Don't look for permutations of hidden neurons that make experts alike.")
  var noAlign = false

  @Flag(name: .long, help: "Overwrite the page if it exists.")
  var force = false

  @OptionGroup var options: GlobalOptions

  func run() throws {
    let checkpoint = try Layouts.open(model)
    let source = CheckpointExperts(checkpoint)
    guard !source.expertLayers.isEmpty else { throw NoExperts(path: model, unknown: source.unknownLayers) }
    let progress = ProgressLine("measuring", options: options)
    defer { progress.finish() }
    var request = SharingRequest()
    request.aligns = !noAlign
    let analysis = try SharingAnalysis(
      checkpoint, recipe: Recipe(name: "", rules: []), request: request, resources: options.resources)
    var report = try analysis.report(title: "Experts of \(Path.name(of: model))", withCurve: curve) {
      progress.update($0)
    }
    progress.finish()
    if let measured {
      let file = try InputFile(measured)
      report.add(measurement: try JSONValue(parsing: file.bytes(0..<file.size)))
    }
    if let html { try Self.write(report.html, to: html, overwrite: force) }
    if options.json {
      Terminal.print(report.json)
    } else if !options.quiet {
      print(Self.table(report))
      if !report.points.isEmpty { print("\n" + Self.curve(report)) }
      print("\n" + verdict(report, unknown: source.unknownLayers))
    }
  }

  /// Writes a page. Throws `IOError`.
  static func write(_ page: String, to path: String, overwrite: Bool) throws {
    let bytes = Array(page.utf8)
    let output = try OutputFile(path, overwrite: overwrite)
    try output.write(bytes, at: 0)
    try output.commit(length: bytes.count)
  }

  static func table(_ report: ExpertReport) -> String {
    let int4 = EncodingSaving.anchor("int4")
    var table = TextTable([
      ("layer", .right), ("matrix", .left), ("experts", .right), ("cosine", .right), ("aligned", .right),
      ("ideal", .right), ("saves", .right), ("over int4", .right), ("centroids", .right),
    ])
    for layer in report.layers {
      for matrix in layer.matrices {
        let shared = matrix.clusters.members.count { $0.count > 1 }
        table.add([
          "\(layer.layer)", matrix.matrix.rawValue, "\(matrix.after.count)",
          Format.decimals(matrix.before.meanCorrelation, 4), Format.decimals(matrix.after.meanCorrelation, 4),
          matrix.idealAfter.isFinite ? Format.decimals(matrix.idealAfter, 3) : "all",
          shared == 0 ? "no gain" : Format.decimals(matrix.clusters.saving, 3),
          shared == 0 ? "" : Format.decimals(matrix.saving(over: int4), 2), "\(shared)",
        ])
      }
    }
    return table.text
  }

  private static func curve(_ report: ExpertReport) -> String {
    var table = TextTable([
      ("encoding", .left), ("bits/weight", .right), ("relative error", .right), ("perplexity", .right),
    ])
    for point in report.points {
      table.add([
        point.curve, Format.decimals(point.bits, 3), Format.error(point.error),
        point.perplexity.map { Format.decimals($0, 3) } ?? "",
      ])
    }
    return table.text
  }

  private func verdict(_ report: ExpertReport, unknown: [Int]) -> String {
    var text =
      report.meanSaving == 0
      ? "no gain: these experts share nothing worth storing once"
      : "sharing centroids would save \(Format.decimals(report.meanSaving, 2)) bits per expert weight at equal error"
    if !unknown.isEmpty {
      text +=
        "\nnot measured, as their layout isn't understood: layers \(unknown.map(String.init).joined(separator: ", "))"
    }
    return text
  }
}

/// A model without experts that can be measured.
struct NoExperts: Error, CustomStringConvertible {
  var path: String
  var unknown: [Int]

  var description: String {
    unknown.isEmpty
      ? "\(path): no routed experts in it" : "\(path): its experts are stored in a way that isn't understood"
  }
}
