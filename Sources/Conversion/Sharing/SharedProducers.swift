import BaleFormat
import Checkpoints
import Codecs
import Experts

/// What all producers of a packing with shared experts have in common.
struct SharedParts: Sendable {
  let slots: [SharedSlot]
  let quality: Float
  let shelf: CentroidShelf

  init(_ slots: [SharedSlot], quality: Float, memory: Int) {
    self.slots = slots
    self.quality = quality
    shelf = CentroidShelf(slots, quality: quality, capacity: memory)
  }

  /// The planes of an encoded matrix, cut in the spans of a part.
  func part(_ matrix: EncodedMatrix, layout: PartLayout) throws -> ProducedPart {
    let units = try TrellisCodec.units(of: matrix.planes[0])
    let unitElements = TrellisCodec().alignment(columns: matrix.columns)
    let each = max(1, layout.spanElements / unitElements)
    let spans = stride(from: 0, to: units.count, by: each).map { first in
      let last = min(first + each, units.count) - 1
      return [Array(matrix.planes[0][units[first].lowerBound..<units[last].upperBound]), []]
    }
    return ProducedPart(spans: spans, wholePlanes: [[], matrix.planes[1]])
  }
}

/// Makes the parts of a slot's experts: differences from their centroids.
struct SharedExpertProducer: PartProducer {
  let parts: SharedParts
  let slot: Int

  func memory(for part: PackPlan.Part, of tensor: PackPlan.Tensor) -> Int { parts.slots[slot].prepared.memory }

  func produce(
    _ part: PackPlan.Part, of tensor: PackPlan.Tensor, from checkpoint: any Checkpoint, threads: Int
  ) throws -> ProducedPart {
    let slot = parts.slots[slot]
    guard case .expert(_, let number, _) = tensor.role else { return ProducedPart(spans: []) }
    let expert = number ?? part.slices.lowerBound
    let centroid = try slot.centroid(of: expert).map { try parts.shelf.centroid($0, ofSlot: self.slot).decoded }
    let encoded = try slot.prepared.expert(expert, beside: centroid, quality: parts.quality)
    var made = try parts.part(encoded, layout: part.layout)
    made.statistics.squaredError = encoded.squaredError
    made.statistics.squaredNorm = encoded.squaredNorm
    made.statistics.maximumError = Double(encoded.maximumError)
    return made
  }
}

/// Makes the parts of centroids.
struct CentroidProducer: PartProducer {
  let parts: SharedParts
  let slot: Int
  let index: Int

  func memory(for part: PackPlan.Part, of tensor: PackPlan.Tensor) -> Int { parts.slots[slot].prepared.memory }

  func produce(
    _ part: PackPlan.Part, of tensor: PackPlan.Tensor, from checkpoint: any Checkpoint, threads: Int
  ) throws -> ProducedPart {
    try parts.part(parts.shelf.centroid(index, ofSlot: slot).encoded, layout: part.layout)
  }
}
