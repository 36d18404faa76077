import ArgumentParser
import BaleFormat
import ByteIO
import Checkpoints
import Conversion
import JSON
import Layouts

/// `bale pack`: any checkpoint into a `.bale` file.
struct Pack: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Packs a checkpoint into a .bale file.",
    discussion: """
      The recipe decides what becomes of each tensor. Routers, norms, biases, embeddings and the head keep their bytes \
      unless a rule names them. What quantizing cost is measured and stored with each tensor, and the original files \
      travel along, so that 'bale unpack' restores them.

      EXAMPLES
        bale pack models/mixtral mixtral.bale --recipe mxfp4-experts
        bale pack models/mixtral archive.bale --recipe lossless
        bale pack model.gguf model.bale --recipe mine.recipe --dry-run
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

  @Option(name: .long, help: ArgumentHelp("Cut the output in files of at most this size.", valueName: "SIZE"))
  var splitMaxSize: ByteSize?

  @Flag(name: .customLong("sha256"), help: "Store a SHA-256 for each chunk beside the fast digest.")
  var sha256 = false

  @OptionGroup var outputOptions: OutputOptions
  @OptionGroup var options: GlobalOptions

  func validate() throws {
    guard output.hasSuffix(".bale") else { throw ValidationError("the output should end in .bale") }
    guard !lossless || recipe == "lossless" else { throw ValidationError("--lossless goes with no other recipe") }
  }

  func run() throws {
    let start = ContinuousClock.now
    let checkpoint = try Layouts.open(source)
    let recipe = try Recipe(named: recipe)
    let plan = try PackPlan(checkpoint, recipe: recipe)
    Notice.skipped(checkpoint, options: options)
    let packing = packOptions(recipe)
    if outputOptions.dryRun {
      let estimate = try PackEstimate(checkpoint, plan: plan, options: packing)
      return PackPrinter(source: source, output: output, options: options).dryRun(plan, estimate)
    }
    let progress = ProgressLine("packing", options: options)
    defer { progress.finish() }
    let report = try PackJob(checkpoint, plan: plan, options: packing)
      .run(to: output, resources: options.resources) { progress.update($0) }
    progress.finish()
    PackPrinter(source: source, output: output, options: options)
      .report(report, source: checkpoint, seconds: seconds(since: start))
  }

  private func packOptions(_ recipe: Recipe) -> PackOptions {
    var packing = PackOptions()
    packing.overwrite = outputOptions.force
    packing.shardSize = splitMaxSize?.bytes
    packing.sha256 = sha256
    packing.isArchive = recipe.name == "lossless"
    packing.metadata = [
      "tool": .string("bale \(Version.text)"), "recipe": .string(recipe.name), "rules": .string(recipe.text),
    ]
    return packing
  }
}
