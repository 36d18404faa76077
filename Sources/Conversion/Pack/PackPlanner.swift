import BaleFormat
import Checkpoints
import Codecs
import Tensors

extension PackPlan {
  /// Decides what becomes of every tensor. Throws `PlanError` naming the tensor that can't be stored as asked.
  /// - Parameter calibration: what recipes with solvers go by.
  /// - Parameter sharing: which experts are stored beside centroids; it goes before the recipe.
  public init(
    _ checkpoint: any Checkpoint, recipe: Recipe, calibration: CalibrationOptions? = nil,
    sharing: ExpertSharing? = nil
  ) throws(PlanError) {
    let calibrated = try CalibratedTensors(checkpoint, recipe: recipe, options: calibration)
    tensors = []
    records = []
    dropped = []
    var experts: [ExpertAddress: [Part]] = [:]
    for (index, source) in checkpoint.tensors.enumerated() {
      if source.codec is DeltaCodec, checkpoint is BaleCheckpoint {
        throw PlanError(
          tensor: source.name, reason: "it is stored as the difference from a base: 'bale unpack --base' it first")
      }
      let treatment = calibrated.treatment(of: source)
      if treatment == .drop {
        dropped.append((source.name, "the recipe '\(recipe.name)' drops it"))
        continue
      }
      let tensor: Tensor
      if let shared = try Self.shared(source, index: index, sharing) {
        tensor = shared
      } else {
        tensor = try Self.tensor(source, index: index, treatment: treatment, calibrated)
      }
      tensors.append(tensor)
      for (address, part) in try Self.parts(of: tensor, at: tensors.count - 1, in: checkpoint) {
        if let address {
          experts[address, default: []].append(part)
        } else {
          records.append(Record(kind: .tensor, parts: [part]))
        }
      }
    }
    for centroid in try sharing?.centroids(in: checkpoint) ?? [] {
      tensors.append(centroid)
      let part = try Self.part(of: centroid, at: tensors.count - 1, slices: 0..<(centroid.shape.dimensions.first ?? 1))
      records.append(Record(kind: .resident, parts: [part]))
    }
    for (address, parts) in experts.sorted(by: { $0.key < $1.key }) {
      records.append(
        Record(
          kind: .expert(layer: address.layer, expert: address.expert), parts: parts.sorted(by: inOrderOfUse)))
    }
  }

  /// An expert's tensor as sharing has it; nil where the recipe decides.
  private static func shared(
    _ source: CheckpointTensor, index: Int, _ sharing: ExpertSharing?
  ) throws(PlanError) -> Tensor? {
    do {
      guard let found = try sharing?.treatment(ofTensor: index, role: source.role) else { return nil }
      try found.codec.check(source.shape)
      return Tensor(
        source: index, name: source.name, shape: source.shape, role: source.role, sourceCodec: source.codec,
        sourceDType: source.sourceDType, sourceError: source.error, codec: found.codec, compressed: false,
        producer: found.producer)
    } catch {
      throw PlanError(tensor: source.name, reason: "\(error)")
    }
  }

  private static func tensor(
    _ source: CheckpointTensor, index: Int, treatment: Treatment, _ calibrated: CalibratedTensors
  ) throws(PlanError) -> Tensor {
    if source.isReferenced, [.keep, .lossless].contains(treatment) {
      throw PlanError(
        tensor: source.name,
        reason: "it is stored beside a centroid and can't be carried over; name an encoding, or --dedupe-experts")
    }
    do {
      let (codec, rule) = try target(of: source, treatment: treatment)
      try codec.check(source.shape)
      return Tensor(
        source: index, name: source.name, shape: source.shape, role: source.role, sourceCodec: source.codec,
        sourceDType: source.sourceDType, sourceError: source.error, codec: codec, rule: rule,
        compressed: treatment == .lossless,
        producer: try producer(of: source, codec: codec, treatment: treatment, calibrated))
    } catch {
      throw PlanError(tensor: source.name, reason: "\(error)")
    }
  }

  private static func producer(
    of source: CheckpointTensor, codec: any Codec, treatment: Treatment, _ calibrated: CalibratedTensors
  ) throws -> (any PartProducer)? {
    guard case .solve(_, let method) = treatment, TargetEncoding.isFloat(source.codec) else { return nil }
    return try calibrated.producer(of: source, codec: codec, method: method)
  }

  private static func target(
    of source: CheckpointTensor, treatment: Treatment
  ) throws(CodecError) -> (any Codec, ScaleRule?) {
    switch treatment {
    case .keep, .drop: (source.codec, nil)
    case .lossless: (split(source.codec), nil)
    case .quantize where !TargetEncoding.isFloat(source.codec): (source.codec, nil)
    case .solve where !TargetEncoding.isFloat(source.codec): (source.codec, nil)
    case .quantize(let descriptor, let rule): (try CodecRegistry.codec(descriptor), rule)
    case .solve(let descriptor, _): (try CodecRegistry.codec(descriptor), nil)
    }
  }

  /// The planes that a plain float is split in; other encodings as they are.
  private static func split(_ codec: any Codec) -> any Codec {
    (codec as? PlainCodec).flatMap { SplitCodec($0.dtype) } ?? codec
  }

  /// A tensor's parts, each with the expert whose record it goes in. Matrices of an expert are kept together only in
  /// files meant to run. In an archive, whose records are compressed, each has a record of its own, so that equal ones
  /// are stored once.
  private static func parts(
    of tensor: Tensor, at index: Int, in checkpoint: any Checkpoint
  ) throws(PlanError) -> [(ExpertAddress?, Part)] {
    let whole = 0..<(tensor.shape.dimensions.first ?? 1)
    let isVariable = tensor.codec.planes.contains { $0.extent == .variable }
    let isArchived = tensor.compressed && !isVariable
    func home(_ layer: Int, _ expert: Int) -> ExpertAddress? {
      isArchived ? nil : ExpertAddress(layer: layer, expert: expert)
    }
    switch tensor.role {
    case .expert(let layer, let expert?, _), .expertBias(let layer, let expert?):
      return [(home(layer, expert), try part(of: tensor, at: index, slices: whole))]
    case .expert(let layer, nil, _), .expertBias(let layer, nil):
      guard !whole.isEmpty, canBeSliced(tensor, in: checkpoint) else { fallthrough }
      var parts: [(ExpertAddress?, Part)] = []
      for slice in whole {
        let part = try part(of: tensor, at: index, slices: slice..<slice + 1)
        parts.append((home(layer, slice), part))
      }
      return parts
    default: return [(nil, try part(of: tensor, at: index, slices: whole))]
    }
  }

  private static func part(of tensor: Tensor, at index: Int, slices: Range<Int>) throws(PlanError) -> Part {
    let count = tensor.shape.dimensions.first ?? 1
    let stride = count == 0 ? 0 : tensor.shape.elements / count
    let elements = slices.lowerBound * stride..<slices.upperBound * stride
    let planes = tensor.compressed ? Set(tensor.codec.planes.indices) : []
    do {
      let layout = try PartLayout(
        codec: tensor.codec, elements: elements.count, columns: tensor.shape.columns, compressed: planes)
      return Part(tensor: index, slices: slices, elements: elements, layout: layout)
    } catch {
      throw PlanError(tensor: tensor.name, reason: "\(error)")
    }
  }

  /// True if a stack may be cut in slices: both encodings begin anew where a slice does, so that the slices' planes,
  /// one after the other, are those of the stack; and no plane serves the whole tensor, or each slice has its own. What
  /// a producer makes of a slice stands alone.
  private static func canBeSliced(_ tensor: Tensor, in checkpoint: any Checkpoint) -> Bool {
    let slice = tensor.shape.elements / (tensor.shape.dimensions.first ?? 1)
    if tensor.producer != nil { return true }
    let runs = tensor.isExact ? checkpoint.runs(covering: 0..<tensor.shape.elements, of: tensor.source) : []
    let isCut = runs.contains { $0.lowerBound == slice }
    return [tensor.sourceCodec, tensor.codec].allSatisfy { codec in
      if slice % codec.alignment(columns: tensor.shape.columns) != 0 { return isCut }
      return codec.planes.allSatisfy { $0.extent != .whole } || isCut
    }
  }
}

extension PackPlan {
  /// gate, up, down, then biases: the same order whatever the source's.
  private func inOrderOfUse(_ a: Part, _ b: Part) -> Bool {
    (Self.rank(tensors[a.tensor].role), tensors[a.tensor].name)
      < (Self.rank(tensors[b.tensor].role), tensors[b.tensor].name)
  }

  private static func rank(_ role: TensorRole) -> Int {
    guard case .expert(_, _, let matrix) = role else { return ExpertMatrix.allCases.count }
    return ExpertMatrix.allCases.firstIndex(of: matrix) ?? 0
  }
}

/// One expert of one layer.
struct ExpertAddress: Hashable, Comparable {
  var layer: Int
  var expert: Int

  static func < (a: ExpertAddress, b: ExpertAddress) -> Bool { (a.layer, a.expert) < (b.layer, b.expert) }
}

/// What can't be done as asked, found before anything is read or written.
public struct PlanError: Error, Equatable, CustomStringConvertible {
  /// The tensor that stands in the way, if it is one.
  public var tensor: String?
  public var reason: String

  public init(tensor: String? = nil, reason: String) {
    self.tensor = tensor
    self.reason = reason
  }

  public var description: String { (tensor.map { "tensor '\($0)': " } ?? "") + reason }
}
