import Experts

/// Centroids, encoded and decoded, made when they are first asked for and kept while there is room: a centroid that was
/// dropped is made again, the same.
final class CentroidShelf: Sendable {
  struct Centroid: Sendable {
    var encoded: EncodedMatrix
    var decoded: [Float]
  }

  private let store: ExpertStore<Centroid>

  /// - Parameter capacity: bytes of centroids kept; the last one is kept whatever its size.
  init(_ slots: [SharedSlot], quality: Float, capacity: Int) {
    store = ExpertStore(capacity: capacity, threads: 0) { id in
      let made = try slots[id.layer].prepared.centroid(id.expert, quality: quality)
      return (Centroid(encoded: made.matrix, decoded: made.decoded), made.decoded.count * 4 + made.matrix.bytes)
    }
  }

  /// A centroid of a slot. Throws what reading and encoding throw.
  func centroid(_ index: Int, ofSlot slot: Int) throws -> Centroid {
    try store.expert(ExpertID(layer: slot, expert: index))
  }
}
