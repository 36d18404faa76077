import ByteIO

/// A model in one GGUF file or in several shards, seen as one: a list of tensors and the metadata.
public struct GGUFModel: Sendable {
  /// A tensor and the shard that has its data.
  public struct Entry: Sendable, Hashable {
    /// Index in `shards`.
    public let shard: Int
    public let tensor: GGUFTensor
  }

  /// The files in order: one, unless the model is split.
  public let shards: [GGUFFile]
  /// The pairs of the first shard, then what later shards add; without the `split.` keys.
  public let metadata: GGUFMetadata
  /// The tensors of all shards, in order.
  public let tensors: [Entry]

  /// Opens a file and, if it is a shard, all the others, which lie beside it under llama.cpp's names; any of them may
  /// be named. Throws `GGUFError`, `IOError` or `SourceChanged`.
  public init(_ path: String) throws {
    let first = try GGUFFile(path)
    shards = try first.isShard ? Self.shards(around: first) : [first]
    metadata = try Self.merge(shards)
    tensors = try Self.collect(shards)
  }

  private static func shards(around opened: GGUFFile) throws -> [GGUFFile] {
    let count = try opened.count(of: GGUFKey.splitCount)
    let number = try opened.count(of: GGUFKey.splitNumber) + 1
    guard let name = GGUFShardName(path: opened.path), name.number == number, name.count == count else {
      let expected = GGUFShardName(prefix: "NAME", number: number, count: count)
      throw GGUFError(.shardName(expected: "\(expected)"), file: opened.path)
    }
    let shards = try (1...count).map { index in
      index == number ? opened : try sibling(name.sibling(index))
    }
    try checkTensorCount(shards)
    return shards
  }

  private static func sibling(_ name: GGUFShardName) throws -> GGUFFile {
    let path = name.description
    guard Path.exists(path) else {
      throw GGUFError(.shardMissing(number: name.number, count: name.count), file: path)
    }
    let file = try GGUFFile(path)
    let count = try file.count(of: GGUFKey.splitCount)
    guard count == name.count else {
      throw GGUFError(.shardCount(expected: name.count, found: count), file: path)
    }
    let number = try file.count(of: GGUFKey.splitNumber)
    guard number == name.number - 1 else {
      throw GGUFError(.shardNumber(expected: name.number - 1, found: number), file: path)
    }
    return file
  }

  /// Every shard gives the number of tensors of the whole model.
  private static func checkTensorCount(_ shards: [GGUFFile]) throws(GGUFError) {
    let found = shards.reduce(0) { $0 + $1.tensors.count }
    for shard in shards {
      let expected = try shard.count(of: GGUFKey.splitTensorCount)
      guard expected == found else {
        throw GGUFError(.shardTensorCount(expected: expected, found: found), file: shard.path)
      }
    }
  }

  private static func merge(_ shards: [GGUFFile]) throws(GGUFError) -> GGUFMetadata {
    var merged = shards[0].metadata
    for shard in shards.dropFirst() {
      for entry in shard.metadata.entries where entry.key != GGUFKey.alignment && !GGUFKey.split.contains(entry.key) {
        if let value = merged[entry.key], value != entry.value {
          throw GGUFError(.shardConflict(key: entry.key), file: shard.path)
        }
        merged[entry.key] = entry.value
      }
    }
    for key in GGUFKey.split { merged[key] = nil }
    return merged
  }

  private static func collect(_ shards: [GGUFFile]) throws(GGUFError) -> [Entry] {
    var entries: [Entry] = []
    var seen: [GGUFString: Int] = [:]
    for (index, shard) in shards.enumerated() {
      for tensor in shard.tensors {
        if let first = seen.updateValue(index, forKey: GGUFString(tensor.name)) {
          throw GGUFError(.shardDuplicateTensor(firstIn: shards[first].path), file: shard.path, tensor: tensor.name)
        }
        entries.append(Entry(shard: index, tensor: tensor))
      }
    }
    return entries
  }
}

extension GGUFFile {
  /// True if the file says that it is one of several. A merged file keeps `split.count` as 0.
  public var isShard: Bool {
    guard let count = metadata[GGUFKey.splitCount] else { return false }
    return count.integer != 0 && count.integer != 1
  }

  /// A key that must hold a count. llama.cpp writes `split.no` and `split.count` as uint16, `split.tensors.count` as
  /// int32; any integer type is read.
  fileprivate func count(of key: String) throws(GGUFError) -> Int {
    guard let value = metadata.integer(key), (0...Int(Int32.max)).contains(value) else {
      throw GGUFError(.shardKey(key: key), file: path)
    }
    return value
  }
}
