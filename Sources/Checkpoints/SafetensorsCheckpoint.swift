import ByteIO
import Codecs
import Safetensors
import Tensors

/// A safetensors file, or a directory of them with what lies beside, as a checkpoint.
public struct SafetensorsCheckpoint: FileCheckpoint {
  public let path: String
  public let directory: String
  public let tensors: [CheckpointTensor]
  public let files: [CheckpointFile]
  public let tensorFiles: [(name: String, file: InputFile)]
  public let locations: [[FileRange]]
  public let facts: [(key: String, value: String)]
  public let skipped: [String]

  public var format: ContainerFormat { .safetensors }

  /// Opens a file, an index or a directory. Throws `SafetensorsError`, `ShardError` or `IOError`.
  public init(_ path: String) throws {
    let set = try ShardedSafetensors(path)
    self.path = path
    directory = set.directory
    tensorFiles = set.shards.map { ($0.name, $0.file.input) }
    var files = tensorFiles.map { CheckpointFile(name: $0.name, size: $0.file.size, holdsTensors: true) }
    for name in set.sidecars + [set.indexName].compactMap({ $0 }) {
      let size = try InputFile(Path.join(set.directory, name)).size
      files.append(CheckpointFile(name: name, size: size, holdsTensors: false))
    }
    self.files = files.sorted { $0.name < $1.name }
    var tensors: [CheckpointTensor] = []
    var locations: [[FileRange]] = []
    for (index, shard) in set.shards.enumerated() {
      let header = shard.file.header
      for tensor in header.dataOrder.map({ header.tensors[$0] }) {
        tensors.append(
          CheckpointTensor(name: tensor.name, shape: tensor.shape, codec: PlainCodec(tensor.dtype)))
        locations.append([FileRange(file: index, range: tensor.bytes)])
      }
    }
    self.tensors = tensors
    self.locations = locations
    facts = set.shards.first?.file.metadata?.map { ($0.key, $0.value) } ?? []
    skipped = set.subdirectories
  }
}
