import Checkpoints
import Codecs
import Experts
import JSON
import Tensors

/// Which experts of a checkpoint are stored beside centroids, how, and in which order of their neurons: decided before
/// a byte is written, by `SharingAnalysis`.
public struct ExpertSharing: Sendable {
  /// All matrices of experts, those that decline too.
  public let slots: [SharedSlot]
  /// Orders of hidden neurons, by layer and expert, of the layers where experts are stored in another than the
  /// checkpoint's: place i holds neuron order[i].
  public let orders: [Int: [[Int]]]
  /// What the meter found, by layer.
  public let layers: [LayerSimilarity]
  /// True if what declines is stored in `trellis` too; false if as the recipe says.
  public let encodesAll: Bool
  /// What a sample came to; nil if nothing is encoded.
  public let forecast: SharingForecast?
  let parts: SharedParts
  /// By index of the checkpoint's tensors: the slot that it belongs to.
  private let slotOf: [Int: Int]

  init(
    slots: [SharedSlot], orders: [Int: [[Int]]], layers: [LayerSimilarity], encodesAll: Bool,
    forecast: SharingForecast?, quality: Float, memory: Int
  ) {
    self.slots = slots
    self.orders = orders
    self.layers = layers
    self.encodesAll = encodesAll
    self.forecast = forecast
    parts = SharedParts(slots, quality: quality, memory: memory)
    slotOf = Dictionary(
      slots.enumerated().flatMap { index, slot in slot.tensors.map { ($0, index) } }, uniquingKeysWith: { $1 })
  }

  /// True if some experts share a centroid.
  public var shares: Bool { slots.contains(where: \.shares) }

  /// The encoding of a tensor of the checkpoint and what makes it; nil where the recipe decides.
  func treatment(
    ofTensor index: Int, role: TensorRole
  ) throws(CodecError) -> (codec: any Codec, producer: any PartProducer)? {
    guard let number = slotOf[index], case .expert(_, let expert, _) = role else { return nil }
    let slot = slots[number]
    guard slot.shares || encodesAll else { return nil }
    return (try slot.codec(of: expert ?? 0), SharedExpertProducer(parts: parts, slot: number))
  }

  /// The centroids, in the order of their layers. Throws `PlanError` if the checkpoint has a tensor of such a name.
  func centroids(in checkpoint: any Checkpoint) throws(PlanError) -> [PackPlan.Tensor] {
    let names = Set(checkpoint.tensors.map(\.name))
    var tensors: [PackPlan.Tensor] = []
    for (number, slot) in slots.enumerated() {
      for index in slot.prepared.clusters.indices {
        let name = slot.centroidName(index)
        guard !names.contains(name), let shape = Shape([slot.rows, slot.columns]) else {
          throw PlanError(tensor: name, reason: "the name is needed for a centroid")
        }
        tensors.append(
          PackPlan.Tensor(
            source: slot.tensors[slot.prepared.clusters[index][0]], name: name, shape: shape,
            role: .expert(layer: slot.layer, expert: nil, matrix: .gate), sourceCodec: PlainCodec(.f32),
            codec: TrellisCodec(), compressed: false,
            producer: CentroidProducer(parts: parts, slot: number, index: index), isShared: true))
      }
    }
    return tensors
  }

  /// What the file says of it: the layers whose experts' neurons are in another order than their source's.
  public var metadata: JSONValue {
    let reordered = orders.keys.sorted().map { JSONValue.integer($0) }
    return ["quality": .real(Double(parts.quality)), "reordered_layers": .array(reordered)]
  }
}
