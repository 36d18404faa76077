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
    help: ArgumentHelp(
      "Bits a weight over all quantized tensors that SpQR's outliers may fill up to, or for --dedupe-experts.",
      valueName: "B"))
  var targetBits: Double?

  @Option(
    name: .long,
    help: ArgumentHelp("The share of a Hessian's mean diagonal that is added to its diagonal.", valueName: "0...1"))
  var damping: Float = 0.1

  @Option(name: .long, help: "What becomes of weights without statistics.")
  var uncovered: CalibrationOptions.Uncovered = .refuse

  func validate() throws {
    guard (0...1).contains(damping) else { throw ValidationError("--damping should be 0 to 1") }
    if let targetBits, !(0.1...16).contains(targetBits) { throw ValidationError("--target-bits should be 0.1 to 16") }
  }

  /// What to go by; nil where no statistics are given.
  func options(for checkpoint: any Checkpoint) throws -> CalibrationOptions? {
    guard let calibration else { return nil }
    var options = CalibrationOptions(try CalibrationFile.open(calibration, for: checkpoint))
    options.targetBits = targetBits
    options.damping = damping
    options.uncovered = uncovered
    return options
  }

  /// By what a run with these options can be continued, and by other files and settings.
  func resumption(files: [String] = [], settings: [String] = []) -> PackOptions.Resume {
    PackOptions.Resume(
      files: files + [calibration].compactMap { $0 },
      settings: settings + ["\(targetBits ?? 0)", "\(damping)", uncovered.rawValue])
  }
}

extension CalibrationOptions.Uncovered: ExpressibleByArgument {}
