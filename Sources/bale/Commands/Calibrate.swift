import ArgumentParser
import ByteIO
import Calibration
import Checkpoints
import Conversion
import JSON

/// `bale calibrate`: which weights of a model a file of statistics serves.
struct Calibrate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Checks calibration statistics against a model.",
    discussion: """
      Says which weights have statistics, from how many tokens, and which lean on their layer's other experts because \
      too few tokens reached them. Exits with 1 if a weight has none, or some of another size.

      EXAMPLES
        bale calibrate models/mixtral --calibration stats.safetensors
        bale calibrate models/mixtral --calibration imatrix.gguf --json
        bale calibrate models/mixtral --calibration stats.safetensors --sensitivity picture.html
      """)

  @Argument(help: "A checkpoint: a directory, or a .safetensors, .gguf or .bale file.")
  var model: String

  @Option(
    name: .long,
    help: ArgumentHelp("What tools/collect_hessians.py writes, or an imatrix.", valueName: "STATS.safetensors|IMATRIX"))
  var calibration: String

  @Option(
    name: .long, help: ArgumentHelp("The recipe whose weights are looked at.", valueName: "NAME|FILE"))
  var recipe = "spqr"

  @Option(
    name: .long,
    help: ArgumentHelp("Also measure which weights matter, and write it.", valueName: "OUT.json|OUT.html"))
  var sensitivity: String?

  @Flag(name: .long, help: "Overwrite what exists.")
  var force = false

  @OptionGroup var options: GlobalOptions

  func validate() throws {
    if let sensitivity, !sensitivity.hasSuffix(".json") && !sensitivity.hasSuffix(".html") {
      throw ValidationError("--sensitivity should end in .json or .html")
    }
  }

  func run() throws {
    let checkpoint = try Checkpoints.open(model)
    let statistics = try CalibrationFile.open(calibration, for: checkpoint)
    let report = CalibrationReport(checkpoint, recipe: try Recipe(named: recipe), statistics: statistics)
    if options.json {
      Terminal.print(json(report))
    } else if !options.quiet {
      show(report)
    }
    if let sensitivity { try write(report, checkpoint, statistics, to: sensitivity) }
    if !report.isComplete { throw ExitCode(Failure.bad) }
  }

  private func write(
    _ report: CalibrationReport, _ checkpoint: any Checkpoint, _ statistics: any CalibrationSource, to path: String
  ) throws {
    let progress = ProgressLine("measuring", options: options)
    defer { progress.finish() }
    let weights = try SensitivityMeter(checkpoint, report: report, statistics: statistics).run { progress.update($0) }
    let sensitivity = SensitivityReport(title: "Sensitivity of \(Path.name(of: model))", weights: weights)
    let bytes =
      path.hasSuffix(".json") ? sensitivity.json.encoded(.python(indent: 1)) : Array(sensitivity.html.utf8)
    let file = try OutputFile(path, overwrite: force)
    try file.write(bytes, at: 0)
    try file.commit(length: bytes.count)
  }

  private func show(_ report: CalibrationReport) {
    var table = TextTable([
      ("role", .left), ("weights", .right), ("covered", .right), ("pooled", .right), ("few tokens", .right),
      ("missing", .right), ("other size", .right), ("fewest tokens", .right), ("most", .right),
    ])
    for (role, coverage) in report.roles {
      let tokens = coverage.covered.compactMap { report.tokens(of: $0) }
      table.add([
        role, "\(coverage.count)", "\(coverage.covered.count)", "\(coverage.pooled.count)",
        "\(coverage.fewTokens.count)", "\(coverage.missing.count)", "\(coverage.wrongSize.count)",
        tokens.min().map { "\($0)" } ?? "", tokens.max().map { "\($0)" } ?? "",
      ])
    }
    print(table.text + "\n")
    list("no statistics of", report.total.missing)
    list("statistics of another number of inputs for", report.total.wrongSize)
    list("no tokens of its own, takes its layer's pool:", report.total.pooled)
    list("leans on its layer's pool:", report.total.fewTokens.map { "\($0.name) (\($0.tokens) tokens)" })
    let unused = report.total.unused.count
    if unused > 0 { print("\(unused) statistics are of weights that the recipe doesn't quantize") }
    print(
      "\(calibration): \(report.isComplete ? "covers" : "DOES NOT cover") the \(report.total.count) weights that "
        + "'\(recipe)' quantizes")
  }

  /// Names that are printed of each kind.
  private static let shown = 8

  private func list(_ what: String, _ names: [String]) {
    for name in names.prefix(Self.shown) { print("\(what) \(name)") }
    if names.count > Self.shown { print("\(what) \(names.count - Self.shown) others; --json lists all") }
  }

  private func json(_ report: CalibrationReport) -> JSONValue {
    let total = report.total
    func texts(_ names: [String]) -> JSONValue { .array(names.map { .string($0) }) }
    return [
      "calibration": .string(calibration), "recipe": .string(recipe), "complete": .bool(report.isComplete),
      "covered": .array(
        total.covered.map {
          ["name": .string($0), "tokens": report.tokens(of: $0).map { .integer($0) } ?? .null]
        }),
      "pooled": texts(total.pooled), "few_tokens": texts(total.fewTokens.map(\.name)),
      "missing": texts(total.missing), "wrong_size": texts(total.wrongSize), "unused": texts(total.unused),
    ]
  }
}
