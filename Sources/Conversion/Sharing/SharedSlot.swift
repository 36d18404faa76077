import Checkpoints
import Codecs
import Experts

/// One matrix of all experts of a layer as the checkpoint holds it: gate, up or down, or gate above up in one.
public struct SharedSlot: Sendable {
  public let layer: Int
  /// One, or gate and up.
  public let matrices: [Experts.ExpertMatrix]
  public let rows: Int
  public let columns: Int
  /// The tensor of each expert: the same for all where experts are stacked.
  public let tensors: [Int]
  /// Experts by centroid; who is alone has none.
  public let clusters: [[Int]]
  /// Bits a weight that sharing is predicted to save; 0 where it declines.
  public let saving: Double
  /// Steps and sources of the encoder.
  let prepared: PreparedLayerMatrix

  /// `gate`, `up`, `down` or `gate_up`.
  public var name: String { matrices.map(\.rawValue).joined(separator: "_") }
  public var experts: Int { tensors.count }
  public var shares: Bool { clusters.contains { $0.count > 1 } }
  /// Weights of all experts.
  public var weights: Int { experts * rows * columns }
  /// True if one tensor holds all experts.
  public var isStack: Bool { Set(tensors).count < tensors.count }

  public var centroidCount: Int { prepared.clusters.count }

  /// Number among the centroids of an expert's; nil if it has none.
  func centroid(of expert: Int) -> Int? { prepared.clusters.firstIndex { $0.contains(expert) } }

  /// The name that a centroid has in the file: no checkpoint's tensor is called so.
  func centroidName(_ index: Int) -> String { "bale.centroid.\(layer).\(name).\(index)" }

  /// The encoding of an expert: its difference from its centroid, or plain.
  func codec(of expert: Int) throws(CodecError) -> any Codec {
    guard let centroid = centroid(of: expert) else { return TrellisCodec() }
    return try ResidualCodec(TrellisCodec(), reference: centroidName(centroid))
  }
}

/// Reads the experts of a layer in the order of neurons in which they will be stored.
struct OrderedExperts: Sendable {
  let source: CheckpointExperts
  let layer: Int
  /// By expert; nil: as the checkpoint has them.
  let orders: [[Int]]?

  /// A matrix, or gate above up.
  func weights(_ expert: Int, _ matrices: [Experts.ExpertMatrix]) throws -> [Float] {
    guard let first = matrices.first else { return [] }
    return try matrices.dropFirst().reduce(into: weights(expert, first)) { $0 += try weights(expert, $1) }
  }

  private func weights(_ expert: Int, _ matrix: Experts.ExpertMatrix) throws -> [Float] {
    let values = try source.matrix(layer: layer, expert: expert, matrix: matrix)
    guard let orders else { return values }
    return NeuronOrder.permuted(
      values, matrix: matrix, rows: source.rows(layer: layer, matrix: matrix),
      columns: source.columns(layer: layer, matrix: matrix), by: orders[expert])
  }
}
