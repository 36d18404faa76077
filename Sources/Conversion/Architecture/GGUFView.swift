import Architectures
import ByteIO
import Checkpoints
import Codecs
import GGUF
import Layouts
import Tensors

/// A Hugging Face checkpoint seen as the GGUF model it becomes: its tensors have GGUF's names, shapes and order, and
/// are put together from the source's rows as they are read (experts stacked, heads permuted, codes woven into blocks).
public struct GGUFView: Checkpoint {
  public let tensors: [CheckpointTensor]
  public let metadata: GGUFMetadata
  /// Source tensors that have no place in GGUF, with the reason.
  public let dropped: [(name: String, reason: String)]
  private let source: any Checkpoint
  private let map: [GGUFMappedTensor]

  public var path: String { source.path }
  public var format: ContainerFormat { source.format }
  public var files: [CheckpointFile] { [] }
  public var storage: [(path: String, size: Int)] { source.storage }
  public var skipped: [String] { source.skipped }
  public var facts: [(key: String, value: String)] { source.facts }

  /// The view of a directory whose architecture is known; nil for any other source.
  /// Throws `ArchitectureError` for tensors that don't fit the configuration.
  public init?(_ source: any Checkpoint, preTokenizer: String? = nil) throws {
    let source = Self.unseen(source)
    guard let directory = (source as? SafetensorsCheckpoint)?.directory ?? (source as? LayoutCheckpoint)?.directory,
      Path.isDirectory(source.path),
      Path.exists(Path.join(directory, "config.json"))
    else { return nil }
    let model = try HuggingFaceModel(directory: directory)
    guard let architecture = ArchitectureRegistry.find(config: model.config) else { return nil }
    let inputs = source.tensors.map {
      SourceTensor(name: $0.name, shape: $0.shape, dtype: ($0.codec as? PlainCodec)?.dtype ?? .u8)
    }
    let type = OutputType.automatic(inputs)
    let map = try architecture.map(config: model.config, tensors: inputs, type: type)
    self.source = source
    self.map = map.tensors
    metadata = try architecture.metadata(model, map: map, type: type, preTokenizer: preTokenizer)
    dropped = map.dropped.map { (source.tensors[$0.tensor].name, $0.reason) }
    tensors = try map.tensors.map {
      CheckpointTensor(name: $0.name, shape: $0.shape, codec: try $0.type.codec)
    }
  }

  /// gpt-oss as it is stored: its blocks are mapped as they are.
  private static func unseen(_ source: any Checkpoint) -> any Checkpoint {
    guard let layouts = source as? LayoutCheckpoint,
      layouts.logical.contains(where: { $0.layout.hasPrefix("gpt-oss") })
    else { return source }
    return layouts.stored
  }

  public func read(
    _ tensor: Int, elements: Range<Int>, into planes: [UnsafeMutableRawBufferPointer]
  ) throws -> [Int] {
    try MappedReader(source: source)
      .read(map[tensor], as: map[tensor].type.plainDType, elements, into: planes[0])
    return [planes[0].count]
  }

  public func segments(of file: CheckpointFile) throws -> [SourceSegment] { [] }
  public func read(_ range: Range<Int>, of file: CheckpointFile) throws -> [UInt8] {
    try source.read(range, of: file)
  }
  public func open(_ file: CheckpointFile) throws -> InputFile { try source.open(file) }
  public func sha256(of file: CheckpointFile) throws -> [UInt8]? { nil }
  public func checkUnchanged() throws { try source.checkUnchanged() }
}
