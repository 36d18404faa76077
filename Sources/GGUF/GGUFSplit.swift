import ByteIO
import Tensors

/// Where a model is cut into shards.
public enum GGUFSplitLimit: Sendable, Hashable {
  /// The padded bytes of a shard's tensors; its header comes on top. A larger tensor is alone in its shard.
  case bytes(Int)
  /// The number of a shard's tensors.
  case tensors(Int)
}

/// One file of a split model.
public struct GGUFShardPlan: Sendable {
  /// Path of the file.
  public let path: String
  /// Which tensors of the model it holds.
  public let tensors: Range<Int>
  public let plan: GGUFPlan
}

extension GGUFHeader {
  /// Lays out a model as shards `PREFIX-00001-of-0000N.gguf`, cut in the order of the tensors as llama-gguf-split cuts
  /// them. The first shard has all of `metadata`, each has the three `split.` keys and the model's
  /// `general.alignment`, if it gives one.
  /// A model that fits into one shard becomes the plain file `PREFIX.gguf`.
  /// - Throws: `GGUFError`: `splitLimit` if the limit isn't positive, `tooMany` shards, and what `plan` throws.
  public static func plan(
    splitting limit: GGUFSplitLimit, prefix: String, metadata: GGUFMetadata, tensors: [GGUFTensorInfo],
    alignment: Int? = nil, nestedArrays: Bool = false
  ) throws(GGUFError) -> [GGUFShardPlan] {
    let whole = prefix + ".gguf"
    var metadata = metadata
    for key in GGUFKey.split { metadata[key] = nil }
    if let alignment { metadata.set(alignment: alignment) }
    let cuts = try cut(tensors, by: limit, metadata, path: whole)

    var shards: [GGUFShardPlan] = []
    for (index, range) in cuts.enumerated() {
      let name = GGUFShardName(prefix: prefix, number: index + 1, count: cuts.count)
      let path = cuts.count == 1 ? whole : name.description
      let pairs = cuts.count == 1 ? metadata : shardMetadata(metadata, name, tensors: tensors.count)
      let plan = try plan(metadata: pairs, tensors: Array(tensors[range]), nestedArrays: nestedArrays, path: path)
      shards.append(GGUFShardPlan(path: path, tensors: range, plan: plan))
    }
    return shards
  }

  /// The tensors of each shard; one empty range if there are no tensors.
  private static func cut(
    _ tensors: [GGUFTensorInfo], by limit: GGUFSplitLimit, _ metadata: GGUFMetadata, path: String
  ) throws(GGUFError) -> [Range<Int>] {
    do throws(Failure) {
      let placement = try Placement(tensors, alignment: try metadata.alignment())
      let starts = try shardStarts(placement, limit)
      guard starts.count <= GGUFLimits.shards else {
        throw Failure(.tooMany(field: "the number of shards", count: starts.count, limit: GGUFLimits.shards))
      }
      return zip(starts, starts.dropFirst() + [tensors.count]).map { $0..<$1 }
    } catch {
      throw GGUFError(error.reason, file: path, tensor: error.tensor)
    }
  }

  /// Index of the first tensor of each shard.
  private static func shardStarts(_ placement: Placement, _ limit: GGUFSplitLimit) throws(Failure) -> [Int] {
    let count = placement.ranges.count
    switch limit {
    case .tensors(let most):
      guard most > 0 else { throw Failure(.splitLimit(most)) }
      return count == 0 ? [0] : Array(stride(from: 0, to: count, by: most))
    case .bytes(let most):
      guard most > 0 else { throw Failure(.splitLimit(most)) }
      var starts = [0]
      var shardStart = 0
      for index in 0..<count where placement.paddedEnd(index) - shardStart > most && index > starts[starts.count - 1] {
        starts.append(index)
        shardStart = placement.ranges[index].lowerBound
      }
      return starts
    }
  }

  private static func shardMetadata(_ metadata: GGUFMetadata, _ name: GGUFShardName, tensors: Int) -> GGUFMetadata {
    var pairs = name.number == 1 ? metadata : GGUFMetadata()
    pairs[GGUFKey.alignment] = metadata[GGUFKey.alignment]
    pairs[GGUFKey.splitNumber] = .uint16(UInt16(clamping: name.number - 1))
    pairs[GGUFKey.splitTensorCount] = .int32(Int32(clamping: tensors))
    pairs[GGUFKey.splitCount] = .uint16(UInt16(clamping: name.count))
    return pairs
  }
}
