import BaleFormat
import ByteIO
import Checkpoints
import Conversion
import JSON
import Layouts
import Tensors

/// What `bale verify` found in a checkpoint.
public struct VerificationReport: Sendable {
  public var format: ContainerFormat
  public var tensors: Int
  /// Bytes that were read and checked; of a format without digests, the bytes of its headers.
  public var bytesChecked: Int
  /// What is wrong; empty if all holds.
  public var damage: [BaleDamage]
  /// Tensors whose round trip isn't what the file says.
  public var mismatches: [RoundTripMismatch]
  /// The tensors beside those of the source, if there was one.
  public var comparison: [RoundTrip]

  public var holds: Bool { damage.isEmpty && mismatches.isEmpty }
}

/// One tensor beside its source: the error found and the error stored.
public struct RoundTrip: Sendable {
  public var difference: TensorDifference
  public var stored: StoredError?
}

/// A tensor that isn't what it says it is.
public struct RoundTripMismatch: Sendable, Equatable, CustomStringConvertible {
  public var tensor: String
  public var reason: String

  public var description: String { "tensor '\(tensor)': \(reason)" }
}

/// Checks a checkpoint: structure and digests, and the round trip against its source.
public struct Verifier: Sendable {
  let path: String
  let source: String?
  let base: String?

  /// - Parameters:
  ///   - source: what it was made from.
  ///   - base: what it is stored as the difference from; only needed to compare it with its source.
  public init(_ path: String, against source: String?, base: String? = nil) {
    self.path = path
    self.source = source
    self.base = base
  }

  /// Structural faults are thrown, as the error of the format; damage that digests find is in the report.
  public func run(resources: Resources, progress: @escaping ProgressHandler) throws -> VerificationReport {
    let checkpoint: any Checkpoint =
      try base.map { try BaleCheckpoint(path, base: BaseModel($0)) } ?? Layouts.open(path)
    var report = VerificationReport(
      format: checkpoint.format, tensors: checkpoint.tensors.count, bytesChecked: 0, damage: [], mismatches: [],
      comparison: [])
    if let bale = checkpoint as? BaleCheckpoint {
      let total = bale.storage.reduce(0) { $0 + $1.size }
      let result = try bale.file.verify(threads: resources.threads) {
        progress(Progress(bytesDone: $0, bytesTotal: total))
      }
      report.bytesChecked = result.bytes
      report.damage = result.damage
    }
    guard let source, report.damage.isEmpty else { return report }
    try (checkpoint as? BaleCheckpoint)?.checkBase()
    let original = try ReorderedCheckpoint.matching(try Layouts.open(source), to: checkpoint)
    let differences = try CheckpointDiff(original, checkpoint).run(resources: resources, progress: progress)
    let stored = Dictionary(checkpoint.tensors.map { (ExactString($0.name), $0) }) { first, _ in first }
    report.comparison = differences.map { RoundTrip(difference: $0, stored: stored[ExactString($0.name)]?.error) }
    report.mismatches = report.comparison.compactMap(Self.mismatch)
    return report
  }

  /// Why a round trip doesn't hold, or nil: a tensor stored losslessly must be identical, a quantized one must show
  /// the error that was stored with it.
  private static func mismatch(_ trip: RoundTrip) -> RoundTripMismatch? {
    let difference = trip.difference
    func fault(_ reason: String) -> RoundTripMismatch { RoundTripMismatch(tensor: difference.name, reason: reason) }
    switch difference.kind {
    case .identical: return nil
    case .missing: return fault("the source has it, this file doesn't")
    case .extra: return fault("this file has it, the source doesn't")
    case .shape: return fault("its shape is \(difference.shapes.1), in the source \(difference.shapes.0)")
    case .values:
      guard let stored = trip.stored else {
        return fault("\(difference.differing) values differ from the source's, and it should be exact")
      }
      // The sums are taken over other spans than at packing: the last bits may differ.
      let tolerance = 1e-9 * max(stored.relativeMSE, difference.relativeMSE)
      guard abs(stored.relativeMSE - difference.relativeMSE) <= tolerance,
        stored.maximumError == difference.maximumError
      else {
        return fault(
          "relative MSE \(difference.relativeMSE), max error \(difference.maximumError); stored were "
            + "\(stored.relativeMSE) and \(stored.maximumError)")
      }
      return nil
    }
  }
}
