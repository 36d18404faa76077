import ArgumentParser
import ByteIO
import Conversion
import JSON
import Parity

/// `bale repair`: a damaged file made whole by its parity.
struct Repair: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Repairs a damaged file by the parity that 'bale protect' wrote.",
    discussion: """
      Finds flipped, zeroed and missing bytes block by block, and restores them if no more blocks are damaged than \
      there are parity blocks. The result takes the file's name only when it has the SHA-256 that the file had when \
      it was protected. Where there is too much damage, nothing is written and the byte ranges to fetch again are \
      listed; with enough of them back in place, repair does the rest. A damaged parity file is made anew.

      EXAMPLES
        bale repair mixtral.bale
        bale repair mixtral.bale --dry-run
        bale repair model.gguf --output repaired.gguf

      EXIT STATUS
        0 whole, or repaired; 1 more is damaged than can be restored, or --dry-run found damage; 2 it could not be done.
      """)

  @Argument(help: "The file to repair.")
  var file: String

  @Option(name: .long, help: ArgumentHelp("The parity file. Default: FILE.parity.", valueName: "PATH"))
  var parity: String?

  @Option(
    name: .shortAndLong, help: ArgumentHelp("Write the repaired file here and leave FILE alone.", valueName: "PATH"))
  var output: String?

  @OptionGroup var outputOptions: OutputOptions
  @OptionGroup var options: GlobalOptions

  func run() throws {
    let progress = ProgressLine("checking", options: options)
    defer { progress.finish() }
    let job = try RepairJob(
      file, parity: parity ?? ParityFile.path(for: file), resources: options.parityResources { progress.update($0) })
    progress.finish()
    let plan = job.plan
    let restores = plan.canRestore && !outputOptions.dryRun
    if restores { try carryOut(job) }
    if options.json {
      Terminal.print(json(plan, isRestored: restores))
    } else {
      show(plan, isRestored: restores)
    }
    if !restores && !(plan.isIntact && plan.parityDamage.isEmpty) { throw ExitCode(Failure.bad) }
  }

  private func carryOut(_ job: RepairJob) throws {
    let target = output ?? file
    if job.plan.isIntact && output == nil {
      try job.confirmIntact()
    } else {
      try job.run(to: target, overwrite: output == nil || outputOptions.force)
    }
    if !job.plan.parityDamage.isEmpty { try job.renewParity(from: target) }
  }

  private func show(_ plan: RepairPlan, isRestored: Bool) {
    let isLost = !plan.canRestore
    guard isLost || !options.quiet else { return }
    for damage in plan.damage {
      let text = "bytes \(damage.range.lowerBound) to \(damage.range.upperBound - 1): \(Self.text(damage.state))"
      if isLost {
        Terminal.error("bale: \(file): \(text): fetch again")
      } else {
        print(text + (isRestored ? ", restored" : ""))
      }
    }
    if isLost {
      Terminal.error(
        "bale: \(file): \(plan.damagedBlocks) of \(plan.dataBlocks) blocks are damaged and parity restores "
          + "\(plan.wholeParity): fetch at least \(plan.missingBlocks) of them again")
    }
    guard !options.quiet, !isLost else { return }
    if plan.size > plan.expectedSize {
      print("\(plan.size - plan.expectedSize) bytes after the end\(isRestored ? ": cut off" : "")")
    }
    for range in plan.parityDamage {
      print(
        "parity file, bytes \(range.lowerBound) to \(range.upperBound - 1): damaged\(isRestored ? ", made anew" : "")")
    }
    print(summary(plan, isRestored: isRestored))
  }

  private func summary(_ plan: RepairPlan, isRestored: Bool) -> String {
    if plan.isIntact { return "\(file): whole: every block is as it was protected" }
    let blocks = "\(plan.damagedBlocks) of \(plan.dataBlocks) blocks"
    return isRestored
      ? "\(output ?? file): \(blocks) restored, \(Format.bytes(plan.expectedSize)), SHA-256 as it was protected"
      : "\(file): \(blocks) are damaged, and can be restored"
  }

  private static func text(_ state: BlockState) -> String {
    switch state {
    case .whole: "whole"
    case .changed: "changed"
    case .zeroed: "zeroed"
    case .missing: "missing"
    }
  }

  private func json(_ plan: RepairPlan, isRestored: Bool) -> JSONValue {
    [
      "file": .string(file), "whole": .bool(plan.isIntact), "restored": .bool(isRestored && !plan.isIntact),
      "can_restore": .bool(plan.canRestore), "size": .integer(plan.size),
      "expected_size": .integer(plan.expectedSize), "block_size": .integer(plan.blockSize),
      "data_blocks": .integer(plan.dataBlocks), "damaged_blocks": .integer(plan.damagedBlocks),
      "whole_parity_blocks": .integer(plan.wholeParity),
      "damage": .array(
        plan.damage.map {
          [
            "begin": .integer($0.range.lowerBound), "end": .integer($0.range.upperBound),
            "state": .string($0.state.rawValue),
          ]
        }),
      "parity_damage": .array(
        plan.parityDamage.map { ["begin": .integer($0.lowerBound), "end": .integer($0.upperBound)] }),
    ]
  }
}
