import Calibration
import Checkpoints
import Codecs
import Experts

/// Measures the experts of a checkpoint and decides which share what.
public struct SharingAnalysis: Sendable {
  let source: CheckpointExperts
  let recipe: Recipe
  let request: SharingRequest
  let resources: Resources

  /// Throws `NothingToShare` if the checkpoint has no experts whose layout is understood.
  public init(
    _ checkpoint: any Checkpoint, recipe: Recipe, request: SharingRequest, resources: Resources
  ) throws {
    source = CheckpointExperts(checkpoint)
    self.recipe = recipe
    self.request = request
    self.resources = resources
    guard !source.expertLayers.isEmpty else {
      throw NothingToShare(path: checkpoint.path)
    }
  }

  private struct Measured {
    var slots: [SharedSlot] = []
    var layers: [LayerSimilarity] = []
    var orders: [Int: [[Int]]] = [:]
  }

  /// Reads every expert three times or so: to compare, to align, and to prepare the encoder.
  public func run(progress: @escaping ProgressHandler) throws -> ExpertSharing {
    let found = try measure(progress)
    let encodesAll = request.goal != nil
    let rate = SharingRate(slots: found.slots.filter { $0.shares || encodesAll }, source: source, resources: resources)
    let chosen = try rate.find(request.goal, plain: plainTreatment(found.slots))
    return ExpertSharing(
      slots: found.slots, orders: found.orders, layers: found.layers, encodesAll: encodesAll,
      forecast: chosen?.forecast, quality: chosen?.quality ?? 1, memory: max(resources.memory, 64 << 20))
  }

  /// The report of the meter; with the curve, also what a sample of the experts comes to at rates from 0.5 to 4.25 bits a
  /// weight: beside centroids, without, and in block encodings; and the bound that no code of Gaussian weights passes.
  public func report(
    title: String, withCurve: Bool, progress: @escaping ProgressHandler
  ) throws -> ExpertReport {
    guard withCurve else { return ExpertReport(title: title, layers: try similarities(progress)) }
    let found = try measure(progress)
    let points = try SharingRate(slots: found.slots, source: source, resources: resources).curve()
    var report = ExpertReport(title: title, layers: found.layers, points: points)
    report.addBound()
    return report
  }

  /// What the meter finds, without preparing the encoder.
  private func similarities(_ progress: ProgressHandler) throws -> [LayerSimilarity] {
    try eachLayer(progress) { $0 }
  }

  /// Measures layer by layer.
  private func eachLayer<R>(_ progress: ProgressHandler, _ body: (LayerSimilarity) throws -> R) throws -> [R] {
    var meter = ExpertMeter()
    meter.stripBytes = resources.memory / 4
    let total = source.expertLayers.reduce(0) { $0 + source.sourceBytes(layer: $1) }
    var done = 0
    return try source.expertLayers.map { layer in
      let result = try body(try meter.measure(source, layer: layer, align: request.aligns))
      done += source.sourceBytes(layer: layer)
      progress(Progress(bytesDone: done, bytesTotal: total))
      return result
    }
  }

  private func measure(_ progress: ProgressHandler) throws -> Measured {
    var found = Measured()
    _ = try eachLayer(progress) { similarity in
      let slots = try slots(of: similarity)
      found.layers.append(similarity)
      found.slots += slots
      if slots.contains(where: \.shares), let order = changed(similarity.order) {
        found.orders[similarity.layer] = order
      }
    }
    return found
  }

  /// The orders, or nil if they are those of the checkpoint.
  private func changed(_ orders: [[Int]]?) -> [[Int]]? {
    guard let orders, orders.contains(where: { $0 != Array(0..<$0.count) }) else { return nil }
    return orders
  }

  /// What the recipe makes of the experts.
  private func plainTreatment(_ slots: [SharedSlot]) -> Treatment {
    guard let slot = slots.first(where: \.shares) ?? slots.first else { return .keep }
    let tensor = source.checkpoint.tensors[slot.tensors[0]]
    return recipe.treatment(name: tensor.name, role: tensor.role)
  }

  private func slots(of similarity: LayerSimilarity) throws -> [SharedSlot] {
    let layer = similarity.layer
    let isFused =
      source.place(layer: layer, expert: 0, matrix: .gate).tensor
      == source.place(layer: layer, expert: 0, matrix: .up).tensor
    let kinds: [[Experts.ExpertMatrix]] = isFused ? [[.gate, .up], [.down]] : [[.gate], [.up], [.down]]
    let partitions = kinds.map { self.partition(similarity, $0) }
    let shares = partitions.contains { $0.clusters.contains { $0.count > 1 } }
    let orders = shares ? changed(similarity.order) : nil
    return try zip(kinds, partitions).map { kind, partition in
      try slot(layer, kind, partition, orders: orders)
    }
  }

  private typealias Partition = (clusters: [[Int]], saving: Double)

  /// The clusters of a matrix, or of gate and up together. A stack has one cluster of all or none: its tensor names one
  /// reference.
  private func partition(_ similarity: LayerSimilarity, _ matrices: [Experts.ExpertMatrix]) -> Partition {
    let found = similarity.matrices.filter { matrices.contains($0.matrix) }
    guard let first = found.first else { return ([], 0) }
    let gram = found.dropFirst().reduce(first.after) { $0 + $1.after }
    let overhead = ExpertMeter().centroidOverhead
    let tensors =
      gram.count < 2
      ? []
      : [0, 1].map {
        source.place(layer: similarity.layer, expert: $0, matrix: matrices[0]).tensor
      }
    if tensors.count == 2, tensors[0] == tensors[1] {
      let saving = SavingFormula.centroid(gram, overhead: overhead).saving
      let all = Array(0..<gram.count)
      return saving >= ExpertClusters.leastSaving ? ([all], saving) : (all.map { [$0] }, 0)
    }
    let clusters = found.count == 1 ? first.clusters : ExpertClusters(choosingBy: gram, overhead: overhead)
    return (clusters.members, clusters.saving)
  }

  private func slot(
    _ layer: Int, _ matrices: [Experts.ExpertMatrix], _ partition: Partition, orders: [[Int]]?
  ) throws -> SharedSlot {
    let rows = matrices.reduce(0) { $0 + source.rows(layer: layer, matrix: $1) }
    let columns = source.columns(layer: layer, matrix: matrices[0])
    let tensors = (0..<source.expertCount(layer: layer)).map {
      source.place(layer: layer, expert: $0, matrix: matrices[0]).tensor
    }
    let experts = OrderedExperts(source: source, layer: layer, orders: orders)
    let hessian = try hessians(tensors, down: matrices == [.down], columns: columns, orders: orders)
    let input = LayerEncoder.Input(
      layer: layer, matrix: matrices[0], rows: rows, columns: columns, experts: tensors.count,
      clusters: partition.clusters, hessian: hessian
    ) { try experts.weights($0, matrices) }
    return SharedSlot(
      layer: layer, matrices: matrices, rows: rows, columns: columns, tensors: tensors,
      clusters: partition.clusters, saving: partition.saving, prepared: try LayerEncoder(quality: 1).prepare(input))
  }

  /// The statistics of a slot's experts; nil unless there are full ones for each of them.
  private func hessians(
    _ tensors: [Int], down: Bool, columns: Int, orders: [[Int]]?
  ) throws -> (@Sendable (Int) throws -> ExpertHessian)? {
    guard let calibration = request.calibration, Set(tensors).count == tensors.count else { return nil }
    let names = tensors.map { source.checkpoint.tensors[$0].name }
    for name in names {
      guard case .full? = try calibration.hessian(of: name)?.moments else { return nil }
    }
    return { expert in
      guard let found = try calibration.hessian(of: names[expert]), case .full(let values) = found.moments else {
        return ExpertHessian(values: [], count: 0)
      }
      let ordered = down && orders != nil && values.count == columns * columns
      return ExpertHessian(
        values: ordered
          ? NeuronOrder.permuted(hessian: values, size: columns, by: orders?[expert] ?? []) : values,
        count: found.tokens ?? 1)
    }
  }
}

/// A checkpoint without experts that could share anything.
public struct NothingToShare: Error, Equatable, CustomStringConvertible {
  public var path: String

  public var description: String { "\(path): it has no routed experts whose layout is understood" }
}
