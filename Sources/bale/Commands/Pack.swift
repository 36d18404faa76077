import ArgumentParser
import BaleFormat
import ByteIO
import Checkpoints
import Conversion
import Experts
import JSON
import Layouts

/// `bale pack`: any checkpoint into a `.bale` file.
struct Pack: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Packs a checkpoint into a .bale file.",
    discussion: """
      The recipe decides what becomes of each tensor. Routers, norms, biases, embeddings and the head keep their bytes \
      unless a rule names them. What quantizing cost is measured and stored with each tensor, and the original files \
      travel along, so that 'bale unpack' restores them. With --base, floats are stored as their difference from \
      those of a model that was packed losslessly, by which a fine-tune gets much smaller; unpacking needs the base.

      EXAMPLES
        bale pack models/mixtral mixtral.bale --recipe mxfp4-experts
        bale pack models/mixtral archive.bale --recipe lossless
        bale pack model.gguf model.bale --recipe mine.recipe --dry-run
        bale pack models/mixtral small.bale --recipe spqr3 --calibration stats.safetensors --target-bits 3.75
        bale pack models/tuned tuned.bale --lossless --base archive.bale
      """)

  @Argument(help: "A checkpoint: a directory, or a .safetensors, .gguf or .bale file.")
  var source: String

  @Argument(help: "The .bale file to write.")
  var output: String

  @Option(
    name: .long,
    help: ArgumentHelp(
      "A recipe: \(Recipe.builtInNames.joined(separator: ", ")), or a file (specs/recipe.md).", valueName: "NAME|FILE"))
  var recipe = "lossless"

  @Flag(name: .long, help: "Pack losslessly: the same as --recipe lossless.")
  var lossless = false

  @Option(
    name: .long,
    help: ArgumentHelp("Store floats as their difference from this one; losslessly only.", valueName: "OTHER.bale"))
  var base: String?

  @Option(name: .long, help: ArgumentHelp("Cut the output in files of at most this size.", valueName: "SIZE"))
  var splitMaxSize: ByteSize?

  @Flag(name: .long, help: "Store what experts share once, where that pays, and their differences from it.")
  var dedupeExperts = false

  @Option(
    name: .long,
    help: ArgumentHelp(
      "The relative squared error that --dedupe-experts may make; without it and --target-bits, the recipe's own.",
      valueName: "E"))
  var maxLoss: Double?

  @Flag(name: .customLong("sha256"), help: "Store a SHA-256 for each chunk beside the fast digest.")
  var sha256 = false

  @Flag(
    name: .long,
    help: "Keep what an interrupted run has written, and go on where a run with the same options was interrupted.")
  var resume = false

  @OptionGroup(title: "Calibration options") var calibrationArguments: CalibrationArguments
  @OptionGroup var outputOptions: OutputOptions
  @OptionGroup var options: GlobalOptions

  func validate() throws {
    guard output.hasSuffix(".bale") else { throw ValidationError("the output should end in .bale") }
    let bits = calibrationArguments.targetBits
    if let maxLoss {
      guard dedupeExperts else { throw ValidationError("--max-loss goes with --dedupe-experts") }
      guard bits == nil else { throw ValidationError("--max-loss and --target-bits exclude each other") }
      guard maxLoss > 0, maxLoss < 1 else { throw ValidationError("--max-loss should be between 0 and 1") }
    }
    if let bits, !dedupeExperts {
      guard calibrationArguments.calibration != nil else {
        throw ValidationError("--target-bits goes with --calibration or --dedupe-experts")
      }
      guard bits >= 2 else { throw ValidationError("--target-bits of SpQR should be 2 to 16") }
    }
    guard !lossless || recipe == "lossless" else { throw ValidationError("--lossless goes with no other recipe") }
    guard base == nil || recipe == "lossless" else { throw ValidationError("--base goes with --lossless only") }
  }

  func run() throws {
    let start = ContinuousClock.now
    let base = try base.map { try BaseModel($0) }
    let source = try opened()
    let checkpoint = try base.map { try DifferenceCheckpoint(source, from: $0) } ?? source
    let recipe = try Recipe(named: recipe)
    let calibration = try calibrationArguments.options(for: checkpoint)
    let sharing = try dedupeExperts ? share(checkpoint, recipe, calibration) : nil
    let plan = try PackPlan(checkpoint, recipe: recipe, calibration: calibration, sharing: sharing)
    Notice.skipped(checkpoint, options: options)
    var packing = packOptions(recipe, base: base)
    if let sharing { packing.note("experts", sharing.metadata) }
    if outputOptions.dryRun {
      let estimate = try PackEstimate(checkpoint, plan: plan, options: packing)
      return PackPrinter(source: self.source, output: output, options: options).dryRun(plan, estimate)
    }
    let progress = ProgressLine("packing", options: options)
    defer { progress.finish() }
    let report = try PackJob(checkpoint, plan: plan, options: packing)
      .run(to: output, resources: options.resources) { progress.update($0) }
    progress.finish()
    PackPrinter(source: self.source, output: output, options: options)
      .report(
        report, source: checkpoint, seconds: seconds(since: start),
        sharing: try sharing.map { try SharingSummary(report, sharing: $0) })
  }

  /// The source seen through its layouts. Files of SpQR's inference library, which don't come back from codes alone,
  /// are packed as they are where nothing else is asked for, and so are floats beside a grid that they don't lie on.
  private func opened() throws -> any Checkpoint {
    let seen = try Layouts.open(source)
    if recipe != "lossless" { return seen }
    return try (seen as? PublishedSpQRCheckpoint)?.stored ?? (seen as? LayoutCheckpoint)?.archived() ?? seen
  }

  /// Measures the experts and decides what they share.
  private func share(
    _ checkpoint: any Checkpoint, _ recipe: Recipe, _ calibration: CalibrationOptions?
  ) throws -> ExpertSharing {
    let progress = ProgressLine("measuring experts", options: options)
    defer { progress.finish() }
    let goal = calibrationArguments.targetBits.map { RateControl.Goal.bits($0) } ?? maxLoss.map { .error($0) }
    let request = SharingRequest(goal: goal, calibration: calibration?.statistics)
    return try SharingAnalysis(checkpoint, recipe: recipe, request: request, resources: options.resources)
      .run { progress.update($0) }
  }

  private func packOptions(_ recipe: Recipe, base: BaseModel?) -> PackOptions {
    var packing = PackOptions()
    packing.overwrite = outputOptions.force
    packing.shardSize = splitMaxSize?.bytes
    packing.sha256 = sha256
    packing.isArchive = recipe.name == "lossless"
    if resume {
      packing.resume = calibrationArguments.resumption(
        files: [self.base].compactMap { $0 }, settings: ["\(dedupeExperts)", "\(maxLoss ?? 0)"])
    }
    var metadata = [
      JSONObject.Member("tool", .string("bale \(Version.text)")), JSONObject.Member("recipe", .string(recipe.name)),
      JSONObject.Member("rules", .string(recipe.text)),
    ]
    if let base { metadata.append(base.metadata) }
    packing.metadata = .object(JSONObject(metadata))
    return packing
  }
}
