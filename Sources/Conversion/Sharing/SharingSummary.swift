import BaleFormat
import Experts
import JSON

/// What storing experts beside centroids came to, every byte counted.
public struct SharingSummary: Sendable {
  /// Matrices of layers that share, and that don't.
  public var shared = 0
  public var declined = 0
  public var centroids = 0
  /// Weights of the experts whose matrices share.
  public var weights = 0
  /// Bytes of their centroids, and their own.
  public var centroidBytes = 0
  public var expertBytes = 0
  /// Bytes of all records of experts, and what of that is padding.
  public var recordBytes = 0
  public var paddingBytes = 0
  /// What a sample said of the same experts without centroids.
  public var forecast: SharingForecast?
  public var reorderedLayers: [Int] = []

  /// Bits a weight, the centroids included, padding not.
  public var bits: Double { weights == 0 ? 0 : Double((centroidBytes + expertBytes) * 8) / Double(weights) }
  public var centroidBits: Double { weights == 0 ? 0 : Double(centroidBytes * 8) / Double(weights) }
  public var paddingShare: Double { recordBytes == 0 ? 0 : Double(paddingBytes) / Double(recordBytes) }

  /// Opens the file that was written for its records. Throws its errors.
  public init(_ report: PackReport, sharing: ExpertSharing) throws {
    let slots = sharing.slots
    shared = slots.count(where: \.shares)
    declined = slots.count - shared
    centroids = slots.reduce(0) { $0 + $1.centroidCount }
    weights = slots.filter(\.shares).reduce(0) { $0 + $1.weights }
    forecast = sharing.forecast
    reorderedLayers = sharing.orders.keys.sorted()
    let members = Set(slots.filter(\.shares).flatMap(\.tensors))
    for (tensor, bytes) in zip(report.plan.tensors, report.storedBytes) {
      if tensor.isShared { centroidBytes += bytes } else if members.contains(tensor.source) { expertBytes += bytes }
    }
    guard let path = report.written.first?.path else { return }
    let file = try BaleFile(path)
    for id in file.records {
      let record = file.record(id)
      guard case .expert = record.kind else { continue }
      recordBytes += record.range.count
      paddingBytes +=
        record.range.count - record.parts.reduce(0) { $0 + $1.part.planes.reduce(0) { $0 + $1.storedBytes } }
    }
  }

  public var json: JSONValue {
    [
      "shared_matrices": .integer(shared), "declined_matrices": .integer(declined), "centroids": .integer(centroids),
      "weights": .integer(weights), "centroid_bytes": .integer(centroidBytes), "expert_bytes": .integer(expertBytes),
      "bits_per_weight": .real(bits), "padding_share": .real(paddingShare),
      "plain_bits_per_weight": forecast.map { .real($0.plainBits) } ?? .null,
      "net_bits_saved": forecast.map { .real($0.saving) } ?? .null,
      "reordered_layers": .array(reorderedLayers.map { .integer($0) }),
    ]
  }
}
