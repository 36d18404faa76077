import ByteIO
import JSON

/// A fault of a sharded checkpoint: of its index, or between the index and its shards.
public typealias ShardError = Fault<ShardReason>

/// What is wrong with a sharded checkpoint: a case for each row of the second error table in specs/safetensors.md.
public enum ShardReason: FaultReason {
  /// A directory without a safetensors file or index.
  case noTensors
  /// A directory with several indexes, none of which is the usual one.
  case ambiguousIndex([String])
  /// A directory with an index and with the file that would be the whole model, which the index doesn't name.
  case ambiguousModel(index: String, file: String)
  /// The index is larger than `SafetensorsLimits.index`.
  case indexTooLarge(size: Int)
  /// The index is not JSON, or a key stands twice.
  case invalidJSON(JSONReason)
  /// A value of the index is of the wrong kind, or absent where `found` is nil.
  case invalidField(String, expected: JSONKind, found: JSONKind?)
  /// A shard's path is absolute, has a drive letter, a backslash, or a component that is empty, "." or "..".
  case shardOutsideDirectory(String)
  /// A shard's name doesn't end in ".safetensors".
  case shardWrongExtension(String)
  /// A shard is not there.
  case missingShard(String)
  /// The index places a tensor in a shard that lacks it.
  case tensorNotInShard(String)
  /// A shard has a tensor that the index leaves out.
  case tensorNotInIndex(shard: String)
  /// Two shards have a tensor of one name.
  case tensorInTwoShards(String, String)

  public var description: String {
    switch self {
    case .noTensors: "expected a .safetensors file or an index in the directory, found neither"
    case .ambiguousIndex(let names): "several indexes: \(names.joined(separator: ", ")); name the one to read"
    case .ambiguousModel(let index, let file): "both \(file) and \(index), which doesn't name it; name the one to read"
    case .indexTooLarge(let size): "the index is \(size) bytes long, more than \(SafetensorsLimits.index)"
    case .invalidJSON(let reason): "invalid index: \(reason)"
    case .invalidField(let field, let expected, nil): "invalid index: expected '\(field)' to be \(expected), found none"
    case .invalidField(let field, let expected, let found?):
      "invalid index: expected '\(field)' to be \(expected), found \(found)"
    case .shardOutsideDirectory(let name): "the shard '\(name)' is not a plain path inside the index's directory"
    case .shardWrongExtension(let name): "expected the shard '\(name)' to end in .safetensors"
    case .missingShard(let name): "the shard '\(name)' is missing"
    case .tensorNotInShard(let shard): "the index places it in '\(shard)', which lacks it"
    case .tensorNotInIndex(let shard): "'\(shard)' has it, the index leaves it out"
    case .tensorInTwoShards(let first, let second): "both '\(first)' and '\(second)' have it"
    }
  }
}

/// Something about a checkpoint that is not as it should be and yet loses nothing.
public enum ShardWarning: Sendable, Equatable, CustomStringConvertible {
  /// The index's `total_size` is not the sum of the tensors' bytes.
  case totalSize(stated: String, actual: Int)

  public var description: String {
    switch self {
    case .totalSize(let stated, let actual):
      "the index states a total size of \(stated) bytes, the tensors take \(actual)"
    }
  }
}
