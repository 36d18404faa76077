import ByteIO
import JSON

/// A checkpoint in one safetensors file or many, read as one list of tensors.
///
/// `path` may be one file, an index, or a directory. In a directory the index is `model.safetensors.index.json` or the
/// only other `NAME.safetensors.index.json`; without an index all its safetensors files are taken together.
public struct ShardedSafetensors: Sendable {
  public struct Shard: Sendable {
    /// Path relative to the directory.
    public var name: String
    public var file: SafetensorsFile
  }

  /// A tensor and the shard it is in.
  public struct Tensor: Sendable {
    /// Index into `shards`.
    public var shard: Int
    public var tensor: SafetensorsTensor
  }

  public let directory: String
  /// Name of the index file, which is not among the `sidecars`; nil without one.
  public let indexName: String?
  public let index: ShardIndex?
  /// The files that hold tensors, ascending by name.
  public let shards: [Shard]
  /// All tensors, shard by shard, in the order of the headers.
  public let tensors: [Tensor]
  /// Names of the directory's other files: config.json, tokenizer and so on. Empty if `path` is one safetensors file.
  public let sidecars: [String]
  /// Names of the directory's directories, which are not looked into (but for shards that the index places there).
  public let subdirectories: [String]
  public let warnings: [ShardWarning]
  private let positions: NameTable

  /// Opens every shard and checks each, and the index against them. Throws `ShardError`, `SafetensorsError`, `IOError`.
  public init(_ path: String, options: SafetensorsOptions = SafetensorsOptions()) throws {
    let files = try CheckpointFiles(at: path)
    directory = files.directory
    indexName = files.indexName
    index = files.index
    shards = try files.shards.map { name in
      Shard(name: name, file: try SafetensorsFile(Path.join(files.directory, name), options: options))
    }
    (tensors, positions) = try Self.merge(shards, in: path)
    if let index {
      let indexPath = Path.join(directory, indexName ?? "")
      try Self.check(index, against: shards, tensors, positions, file: indexPath)
      warnings = Self.warnings(for: index, tensors: tensors)
    } else {
      warnings = []
    }
    let isWholeDirectory = Path.isDirectory(path) || index != nil
    (sidecars, subdirectories) = isWholeDirectory ? try Self.others(than: files) : ([], [])
  }

  /// The tensor of that name, compared by its bytes.
  public subscript(name: String) -> Tensor? { positions[name].map { tensors[$0] } }

  /// All bytes of a tensor.
  public func bytes(of tensor: Tensor) throws -> [UInt8] { try shards[tensor.shard].file.bytes(of: tensor.tensor) }

  private static func merge(_ shards: [Shard], in path: String) throws -> ([Tensor], NameTable) {
    var tensors: [Tensor] = []
    var positions = NameTable(capacity: shards.reduce(0) { $0 + $1.file.tensors.count })
    for (number, shard) in shards.enumerated() {
      for tensor in shard.file.tensors {
        if let known = positions.insert(tensor.name, at: tensors.count) {
          let reason = ShardReason.tensorInTwoShards(shards[tensors[known].shard].name, shard.name)
          throw ShardError(reason, file: path, tensor: tensor.name)
        }
        tensors.append(Tensor(shard: number, tensor: tensor))
      }
    }
    return (tensors, positions)
  }

  /// Checks that the index gives every tensor of the shards, each where it is, and no other.
  private static func check(
    _ index: ShardIndex, against shards: [Shard], _ tensors: [Tensor], _ positions: NameTable, file: String
  ) throws {
    var isListed = [Bool](repeating: false, count: tensors.count)
    for entry in index.weightMap {
      guard let position = positions[entry.tensor],
        ExactString(shards[tensors[position].shard].name) == ExactString(entry.shard)
      else {
        throw ShardError(.tensorNotInShard(entry.shard), file: file, tensor: entry.tensor)
      }
      isListed[position] = true
    }
    if let position = isListed.firstIndex(of: false) {
      let tensor = tensors[position]
      throw ShardError(.tensorNotInIndex(shard: shards[tensor.shard].name), file: file, tensor: tensor.tensor.name)
    }
  }

  private static func warnings(for index: ShardIndex, tensors: [Tensor]) -> [ShardWarning] {
    guard let stated = index.metadata?["total_size"] else { return [] }
    let actual = tensors.reduce(0) { $0 + $1.tensor.bytes.count }
    // Older writers computed the size as a float.
    if stated.int == actual || stated.int == nil && stated.double == Double(actual) { return [] }
    return [.totalSize(stated: String(decoding: stated.encoded(), as: UTF8.self), actual: actual)]
  }

  private static func others(than files: CheckpointFiles) throws -> (files: [String], directories: [String]) {
    let known = Set((files.shards + [files.indexName].compactMap(\.self)).map { ExactString($0) })
    let names = try Path.entries(of: files.directory)
    let directories = Set(names.filter { Path.isDirectory(Path.join(files.directory, $0)) })
    return (
      names.filter { !known.contains(ExactString($0)) && !directories.contains($0) }, names.filter(directories.contains)
    )
  }
}
