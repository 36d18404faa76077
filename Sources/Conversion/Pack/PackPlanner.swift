import Checkpoints
import Codecs
import Tensors

extension PackPlan {
  /// Decides what becomes of every tensor. Throws `PlanError` naming the tensor that can't be stored as asked.
  public init(_ checkpoint: any Checkpoint, recipe: Recipe) throws(PlanError) {
    tensors = []
    records = []
    dropped = []
    var experts: [ExpertAddress: [Part]] = [:]
    for (index, source) in checkpoint.tensors.enumerated() {
      let treatment = recipe.treatment(name: source.name, role: source.role)
      if treatment == .drop {
        dropped.append((source.name, "the recipe '\(recipe.name)' drops it"))
        continue
      }
      let tensor = try Self.tensor(source, index: index, treatment: treatment)
      tensors.append(tensor)
      for (address, part) in Self.parts(of: tensor, at: tensors.count - 1) {
        if let address { experts[address, default: []].append(part) } else { records.append(Record(parts: [part])) }
      }
    }
    for address in experts.keys.sorted() {
      records.append(Record(expert: address, parts: (experts[address] ?? []).sorted(by: inOrderOfUse)))
    }
  }

  private static func tensor(
    _ source: CheckpointTensor, index: Int, treatment: Treatment
  ) throws(PlanError) -> Tensor {
    let (codec, rule) = try target(of: source, treatment: treatment)
    do {
      try codec.check(source.shape)
    } catch {
      throw PlanError(tensor: source.name, reason: "\(error)")
    }
    return Tensor(
      source: index, name: source.name, shape: source.shape, role: source.role, sourceCodec: source.codec,
      codec: codec, rule: rule, compressed: treatment == .lossless,
      spanElements: SpanRule.elements([source.codec, codec], columns: source.shape.columns))
  }

  private static func target(
    of source: CheckpointTensor, treatment: Treatment
  ) throws(PlanError) -> (any Codec, ScaleRule?) {
    switch treatment {
    case .keep, .drop: return (source.codec, nil)
    case .lossless: return (SplitCodec.splitting(source.codec) ?? source.codec, nil)
    case .quantize(let descriptor, let rule):
      do {
        return (try CodecRegistry.codec(descriptor), rule)
      } catch {
        throw PlanError(tensor: source.name, reason: "\(error)")
      }
    }
  }

  /// A tensor's parts, each with the expert whose record it goes in. Experts are kept apart only in files meant to
  /// run: what is compressed is an archive, and stays whole.
  private static func parts(of tensor: Tensor, at index: Int) -> [(ExpertAddress?, Part)] {
    let whole = Part(
      tensor: index, slices: 0..<(tensor.shape.dimensions.first ?? 1), elements: 0..<tensor.shape.elements)
    if tensor.compressed { return [(nil, whole)] }
    switch tensor.role {
    case .expert(let layer, let expert?, _), .expertBias(let layer, let expert?):
      return [(ExpertAddress(layer: layer, expert: expert), whole)]
    case .expert(let layer, nil, _), .expertBias(let layer, nil):
      return slices(of: tensor, at: index).map { (ExpertAddress(layer: layer, expert: $0.slices.lowerBound), $0) }
    default: return [(nil, whole)]
    }
  }

  /// A stack cut along its first dimension, if its encodings let each slice stand alone.
  private static func slices(of tensor: Tensor, at index: Int) -> [Part] {
    let count = tensor.shape.dimensions.first ?? 1
    guard count > 0 else { return [] }
    let elements = tensor.shape.elements / count
    return (0..<count).map { slice in
      Part(tensor: index, slices: slice..<slice + 1, elements: slice * elements..<(slice + 1) * elements)
    }
  }
}

/// gate, up, down, then the rest; a stable order whatever the source's.
extension PackPlan {
  private func inOrderOfUse(_ a: Part, _ b: Part) -> Bool {
    (Self.rank(tensors[a.tensor].role), tensors[a.tensor].name)
      < (Self.rank(tensors[b.tensor].role), tensors[b.tensor].name)
  }

  private static func rank(_ role: TensorRole) -> Int {
    guard case .expert(_, _, let matrix) = role else { return ExpertMatrix.allCases.count }
    return ExpertMatrix.allCases.firstIndex(of: matrix) ?? 0
  }
}

/// A tensor that can't be converted as asked, found before anything is read or written.
public struct PlanError: Error, Equatable, CustomStringConvertible {
  public var tensor: String
  public var reason: String

  public init(tensor: String, reason: String) {
    self.tensor = tensor
    self.reason = reason
  }

  public var description: String { "tensor '\(tensor)': \(reason)" }
}
