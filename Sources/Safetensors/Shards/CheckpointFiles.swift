import ByteIO
import JSON

/// Which files of a directory make up a safetensors checkpoint.
struct CheckpointFiles {
  var directory: String
  /// Name of the index, if there is one.
  var indexName: String?
  var index: ShardIndex?
  /// Paths relative to the directory, ascending.
  var shards: [String]

  /// The checkpoint at `path`: a directory, an index (a file that ends in ".json"), or one safetensors file.
  init(at path: String) throws {
    if Path.isDirectory(path) {
      try self.init(directory: path)
    } else if path.hasSuffix(".json") {
      try self.init(directory: Path.directory(of: path), indexName: Path.name(of: path))
    } else {
      self.init(directory: Path.directory(of: path), shards: [Path.name(of: path)])
    }
  }

  private init(directory: String, shards: [String]) {
    self.directory = directory
    self.shards = shards
  }

  private init(directory: String, indexName: String) throws {
    let path = Path.join(directory, indexName)
    let index = try ShardIndex(path)
    self.init(directory: directory, shards: Set(index.weightMap.map { ExactString($0.shard) }).sorted().map(\.string))
    self.indexName = indexName
    self.index = index
    if shards.isEmpty { throw ShardError(.noTensors, file: path) }
    for shard in shards where !Path.exists(Path.join(directory, shard)) {
      throw ShardError(.missingShard(shard), file: path)
    }
  }

  private init(directory: String) throws {
    let names = try Path.entries(of: directory).filter { !Path.isDirectory(Path.join(directory, $0)) }
    if let indexName = try Self.index(among: names, directory: directory) {
      try self.init(directory: directory, indexName: indexName)
      try checkWholeModel(among: names)
    } else {
      let shards = names.filter { $0.hasSuffix(safetensorsSuffix) }
      if shards.isEmpty { throw ShardError(.noTensors, file: directory) }
      self.init(directory: directory, shards: shards)
      try checkNumbering()
    }
  }

  private static let indexInfix = ".safetensors.index."

  /// The index to read: the usual one, else the only one without a variant (`NAME.safetensors.index.json`), else the
  /// only one (`NAME.safetensors.index.fp16.json`).
  private static func index(among names: [String], directory: String) throws -> String? {
    let indexes = names.filter { $0.contains(indexInfix) && $0.hasSuffix(".json") }
    if indexes.contains("model.safetensors.index.json") { return "model.safetensors.index.json" }
    let plain = indexes.filter { $0.hasSuffix(indexInfix + "json") }
    if plain.count == 1 { return plain[0] }
    if indexes.count > 1 { throw ShardError(.ambiguousIndex(indexes), file: directory) }
    return indexes.first
  }

  /// Refuses a directory that holds the model twice: in the shards of an index, and whole.
  private func checkWholeModel(among names: [String]) throws {
    guard let indexName, let infix = indexName.firstRange(of: Self.indexInfix) else { return }
    let whole = indexName[..<infix.lowerBound] + safetensorsSuffix
    if names.contains(String(whole)) && !shards.contains(String(whole)) {
      throw ShardError(.ambiguousModel(index: indexName, file: String(whole)), file: directory)
    }
  }

  /// Refuses numbered shards, without an index, of which one is missing.
  private func checkNumbering() throws {
    let present = Set(shards)
    for (prefix, _, count) in shards.compactMap(ShardPlan.parts) where count > 1 {
      let expected = (0..<count).lazy.map { ShardPlan.name(index: $0, count: count, prefix: prefix) }
      if let missing = expected.first(where: { !present.contains($0) }) {
        throw ShardError(.missingShard(missing), file: directory)
      }
    }
  }
}
