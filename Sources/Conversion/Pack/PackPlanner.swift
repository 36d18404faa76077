import BaleFormat
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
      if source.codec is DeltaCodec, checkpoint is BaleCheckpoint {
        throw PlanError(
          tensor: source.name, reason: "it is stored as the difference from a base: 'bale unpack --base' it first")
      }
      let treatment = recipe.treatment(name: source.name, role: source.role)
      if treatment == .drop {
        dropped.append((source.name, "the recipe '\(recipe.name)' drops it"))
        continue
      }
      let tensor = try Self.tensor(source, index: index, treatment: treatment)
      tensors.append(tensor)
      for (address, part) in try Self.parts(of: tensor, at: tensors.count - 1) {
        if let address {
          experts[address, default: []].append(part)
        } else {
          records.append(Record(kind: .tensor, parts: [part]))
        }
      }
    }
    for (address, parts) in experts.sorted(by: { $0.key < $1.key }) {
      records.append(
        Record(
          kind: .expert(layer: address.layer, expert: address.expert), parts: parts.sorted(by: inOrderOfUse)))
    }
  }

  private static func tensor(
    _ source: CheckpointTensor, index: Int, treatment: Treatment
  ) throws(PlanError) -> Tensor {
    do {
      let (codec, rule) = try target(of: source, treatment: treatment)
      try codec.check(source.shape)
      return Tensor(
        source: index, name: source.name, shape: source.shape, role: source.role, sourceCodec: source.codec,
        sourceDType: source.sourceDType, sourceError: source.error, codec: codec, rule: rule,
        compressed: treatment == .lossless)
    } catch {
      throw PlanError(tensor: source.name, reason: "\(error)")
    }
  }

  private static func target(
    of source: CheckpointTensor, treatment: Treatment
  ) throws(CodecError) -> (any Codec, ScaleRule?) {
    switch treatment {
    case .keep, .drop: (source.codec, nil)
    case .lossless: (split(source.codec), nil)
    case .quantize where !TargetEncoding.isFloat(source.codec): (source.codec, nil)
    case .quantize(let descriptor, let rule): (try CodecRegistry.codec(descriptor), rule)
    }
  }

  /// The planes that a plain float is split in; other encodings as they are.
  private static func split(_ codec: any Codec) -> any Codec {
    (codec as? PlainCodec).flatMap { SplitCodec($0.dtype) } ?? codec
  }

  /// A tensor's parts, each with the expert whose record it goes in. Experts are kept apart only in files meant to
  /// run: what is compressed is an archive, and stays whole.
  private static func parts(of tensor: Tensor, at index: Int) throws(PlanError) -> [(ExpertAddress?, Part)] {
    let whole = 0..<(tensor.shape.dimensions.first ?? 1)
    if tensor.compressed { return [(nil, try part(of: tensor, at: index, slices: whole))] }
    switch tensor.role {
    case .expert(let layer, let expert?, _), .expertBias(let layer, let expert?):
      return [(ExpertAddress(layer: layer, expert: expert), try part(of: tensor, at: index, slices: whole))]
    case .expert(let layer, nil, _), .expertBias(let layer, nil):
      guard !whole.isEmpty, canBeSliced(tensor) else { fallthrough }
      var parts: [(ExpertAddress?, Part)] = []
      for slice in whole {
        let part = try part(of: tensor, at: index, slices: slice..<slice + 1)
        parts.append((ExpertAddress(layer: layer, expert: slice), part))
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

  /// True if a stack may be cut in slices: no plane serves the whole tensor, and both encodings begin anew where a
  /// slice does, so that the slices' planes, one after the other, are those of the stack.
  private static func canBeSliced(_ tensor: Tensor) -> Bool {
    let slice = tensor.shape.elements / (tensor.shape.dimensions.first ?? 1)
    return [tensor.sourceCodec, tensor.codec].allSatisfy { codec in
      slice % codec.alignment(columns: tensor.shape.columns) == 0 && codec.planes.allSatisfy { $0.extent == .perSpan }
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
