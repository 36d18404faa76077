import ArgumentParser
import Checkpoints
import Conversion

/// The options of calibrated quantization.
struct CalibrationArguments: ParsableArguments {
  @Option(
    name: .long,
    help: ArgumentHelp(
      "Statistics of the weights' inputs: what tools/collect_hessians.py writes, or an imatrix.",
      valueName: "STATS.safetensors|IMATRIX"))
  var calibration: String?

  @Option(
    name: .long,
    help: ArgumentHelp("Bits a weight that SpQR may spend on each matrix, everything included.", valueName: "B"))
  var targetBits: Double?

  @Option(name: .long, help: "What becomes of weights without statistics.")
  var uncovered: CalibrationOptions.Uncovered = .refuse

  func validate() throws {
    if let targetBits, !(2...16).contains(targetBits) { throw ValidationError("--target-bits should be 2 to 16") }
    if targetBits != nil, calibration == nil { throw ValidationError("--target-bits goes with --calibration") }
  }

  /// What to go by; nil where no statistics are given.
  func options(for checkpoint: any Checkpoint) throws -> CalibrationOptions? {
    guard let calibration else { return nil }
    var options = CalibrationOptions(try CalibrationFile.open(calibration, for: checkpoint))
    options.targetBits = targetBits
    options.uncovered = uncovered
    return options
  }
}

extension CalibrationOptions.Uncovered: ExpressibleByArgument {}
