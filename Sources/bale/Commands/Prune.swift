import ArgumentParser
import ByteIO
import Checkpoints
import Conversion
import Experts
import JSON

/// `bale prune`: fewer experts.
struct Prune: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Drops experts, or merges them, and shrinks the routers to match.",
    discussion: """
      What stays is renumbered and keeps its bytes; merged experts are the mean of their members, and so are their rows \
      of the router. config.json gets the new number. What this does to the model's answers is not measured here.

      EXAMPLES
        bale prune models/mixtral smaller --drop 0:3,5 --drop 1:0,7
        bale prune models/mixtral smaller --keep 6 --counts router.json
        bale prune models/mixtral smaller --merge 4
      """)

  @Argument(help: "A safetensors checkpoint.")
  var source: String

  @Argument(help: "The directory to write.")
  var destination: String

  @Option(name: .long, help: ArgumentHelp("Drop these experts of a layer; all layers by '*'.", valueName: "LAYER:E,E"))
  var drop: [String] = []

  @Option(name: .long, help: ArgumentHelp("Keep the N most used experts of each layer.", valueName: "N"))
  var keep: Int?

  @Option(
    name: .long,
    help: ArgumentHelp("How often the router picked each: {\"LAYER\": [n, n, ...]}.", valueName: "COUNTS.json"))
  var counts: String?

  @Option(name: .long, help: ArgumentHelp("Merge the most similar experts until N are left.", valueName: "N"))
  var merge: Int?

  @OptionGroup var outputOptions: OutputOptions
  @OptionGroup var options: GlobalOptions

  func validate() throws {
    guard [!drop.isEmpty, keep != nil, merge != nil].count(where: { $0 }) == 1 else {
      throw ValidationError("give one of --drop, --keep and --merge")
    }
    guard (keep == nil) == (counts == nil) else { throw ValidationError("--keep and --counts go together") }
    guard Checkpoints.format(ofDestination: destination) == nil else {
      throw ValidationError("the destination should be a directory")
    }
  }

  func run() throws {
    let checkpoint = try Checkpoints.open(source)
    guard checkpoint.format == .safetensors else { throw ValidationError("'\(source)' is no safetensors checkpoint") }
    let prunings = try request(checkpoint).prunings(of: checkpoint)
    let pruned = try PrunedCheckpoint(checkpoint, prunings: prunings)
    var plan = try ConvertPlan(pruned, request: ConvertRequest(format: .safetensors, isSingleFile: false))
    if let config = pruned.config { plan.made.append(("config.json", config)) }
    if !outputOptions.dryRun {
      let progress = ProgressLine("pruning", options: options)
      defer { progress.finish() }
      let target = ConvertDestination(path: destination, isSingleFile: false, overwrite: outputOptions.force)
      _ = try ConvertJob(pruned, plan: plan).run(to: target, resources: options.resources) { progress.update($0) }
    }
    report(prunings, before: checkpoint.storage.reduce(0) { $0 + $1.size }, after: plan.size)
  }

  private func request(_ checkpoint: any Checkpoint) throws -> PruningRequest {
    if let merge { return .merge(merge) }
    if let keep, let counts { return .keepMostUsed(keep, counts: try PruningRequest.counts(counts)) }
    var dropped: [Int: Set<Int>] = [:]
    for text in drop {
      let parts = text.split(separator: ":")
      let experts = parts.count == 2 ? parts[1].split(separator: ",").map { Int($0) } : []
      guard let first = parts.first, !experts.isEmpty, !experts.contains(nil), first == "*" || Int(first) != nil else {
        throw ValidationError("--drop should be LAYER:E,E,..., not '\(text)'")
      }
      let layers = Int(first).map { [$0] } ?? CheckpointExperts(checkpoint).expertLayers
      for layer in layers { dropped[layer, default: []].formUnion(experts.compactMap { $0 }) }
    }
    return .drop(dropped)
  }

  private func report(_ prunings: [ExpertPruning], before: Int, after: Int) {
    if options.json {
      let result: JSONValue = [
        "source_bytes": .integer(before), "bytes": .integer(after),
        "layers": .array(
          prunings.map { pruning in
            [
              "layer": .integer(pruning.layer), "experts": .integer(pruning.total),
              "sources": .array(pruning.sources.map { .array($0.map { .integer($0) }) }),
            ]
          }),
      ]
      return Terminal.print(result)
    }
    guard !options.quiet else { return }
    var table = TextTable([("layer", .right), ("experts", .right), ("left", .right), ("new experts come of", .left)])
    for pruning in prunings {
      let sources = pruning.sources.map { $0.map(String.init).joined(separator: "+") }.joined(separator: " ")
      table.add([
        "\(pruning.layer)", "\(pruning.total)", "\(pruning.sources.count)", Format.shortened(sources, to: 80),
      ])
    }
    print(table.text)
    print("\n\(source)  \(Format.bytes(before))  ->  \(destination)  \(Format.bytes(after))")
  }
}
