import Calibration
import Checkpoints
import Codecs

/// Which tensors of a model a solver makes, and how: the calibrated part of a plan.
struct CalibratedTensors {
  private let recipe: Recipe
  private var options: CalibrationOptions?
  private let prepared = PreparedCache()

  /// Throws `PlanError` if statistics are needed and not there, or are of other sizes than the weights.
  init(_ checkpoint: any Checkpoint, recipe: Recipe, options: CalibrationOptions?) throws(PlanError) {
    self.recipe = recipe
    self.options = options
    let solved = checkpoint.tensors.filter { tensor in
      guard case .solve = recipe.treatment(name: tensor.name, role: tensor.role) else { return false }
      return TargetEncoding.isFloat(tensor.codec)
    }
    guard let first = solved.first else { return }
    guard let options else {
      throw PlanError(tensor: first.name, reason: "the recipe '\(recipe.name)' goes by statistics; give --calibration")
    }
    let coverage = CalibrationCoverage(
      of: options.statistics, weights: solved.flatMap(WeightName.matrices))
    if let name = coverage.wrongSize.first {
      throw PlanError(
        tensor: name,
        reason: "its statistics are of \(options.statistics.columns(of: name) ?? 0) inputs, and its rows are not"
          + Self.others(coverage.wrongSize.count))
    }
    if let name = coverage.missing.first, options.uncovered == .refuse {
      throw PlanError(
        tensor: name,
        reason: "there are no statistics of it" + Self.others(coverage.missing.count)
          + "; --uncovered says what becomes of such weights")
    }
    if let target = options.targetBits {
      let left = try budget(of: checkpoint).bits(target: target)
      self.options?.targetBits = left
    }
  }

  /// Of everything that is quantized.
  private func budget(of checkpoint: any Checkpoint) throws(PlanError) -> TargetBudget {
    var budget = TargetBudget()
    for tensor in checkpoint.tensors where TargetEncoding.isFloat(tensor.codec) {
      do {
        switch treatment(of: tensor) {
        case .quantize(let descriptor, _):
          budget.add(tensor, try CodecRegistry.codec(descriptor), method: nil)
        case .solve(let descriptor, let method):
          budget.add(tensor, try CodecRegistry.codec(descriptor), method: method)
        case .keep, .lossless, .drop: continue
        }
      } catch {
        throw PlanError(tensor: tensor.name, reason: "\(error)")
      }
    }
    return budget
  }

  private static func others(_ count: Int) -> String { count == 1 ? "" : " (and so of \(count - 1) others)" }

  /// What becomes of a tensor: for one that lacks statistics, what the options say.
  func treatment(of tensor: CheckpointTensor) -> Treatment {
    let treatment = recipe.treatment(name: tensor.name, role: tensor.role)
    guard case .solve(let descriptor, _) = treatment, let options else { return treatment }
    let coverage = CalibrationCoverage(of: options.statistics, weights: WeightName.matrices(of: tensor))
    guard !coverage.missing.isEmpty, options.uncovered != .refuse else { return treatment }
    return options.uncovered == .keep ? .keep : .quantize(descriptor, nil)
  }

  /// What makes the parts of a tensor. Throws `CodecError`, or `SolverError` for shapes that can't be solved.
  func producer(of tensor: CheckpointTensor, codec: any Codec, method: Solver.Method) throws -> (any PartProducer)? {
    guard let options else { return nil }
    let encoding = try SolvableEncodings.encoding(codec)
    let columns = tensor.shape.columns
    try encoding.check(rows: columns == 0 ? 0 : tensor.shape.elements / columns, columns: columns)
    return MatrixProducer(encoding: encoding, method: method, options: options, prepared: prepared)
  }
}
