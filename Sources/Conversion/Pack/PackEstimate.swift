import BaleFormat
import Checkpoints
import Codecs

/// The size of a `.bale` file before a weight is read.
public struct PackEstimate: Sendable {
  /// Bytes of the file: exact, or the most that it can take.
  public var size: Int
  public var isExact: Bool

  /// Counts what `PackJob` would write. Reads only what lies between the tensors of the source.
  public init(_ checkpoint: any Checkpoint, plan: PackPlan, options: PackOptions) throws {
    var estimate = BaleSizeEstimate(metadata: options.writer.metadata, sha256: options.sha256)
    for tensor in plan.tensors { estimate.declare(PackOutput.declaration(tensor)) }
    for file in checkpoint.files {
      let segments = try checkpoint.segments(of: file)
      let literal = segments.reduce(0) { if case .literal(let range) = $1 { $0 + range.count } else { $0 } }
      if literal > 0 { try estimate.addBlob(length: literal, isCompressed: options.isArchive) }
      let arrangements = segments.compactMap { if case .layout(let text, _, _) = $0 { text } else { nil } }
      estimate.addFile(name: file.name, segments: segments.count, arrangements: arrangements)
    }
    for record in plan.records { try estimate.addRecord(record.kind, parts: record.parts.map(\.layout)) }
    size = estimate.size
    isExact = estimate.isExact && options.shardSize == nil
  }
}
