import Architectures
import ByteIO
import Checkpoints
import Codecs
import GGUF
import Layouts
import Tensors

/// A Hugging Face checkpoint seen as the GGUF model it becomes: its tensors have GGUF's names, shapes and order, and
/// are put together from the source's rows as they are read (experts stacked, heads permuted, codes woven into blocks).
public struct GGUFView: CheckpointView {
  public let tensors: [CheckpointTensor]
  public let metadata: GGUFMetadata
  /// Source tensors that have no place in GGUF, with the reason.
  public let dropped: [(name: String, reason: String)]
  public let source: any Checkpoint
  let map: [GGUFMappedTensor]
  /// How the codes of mapped tensors are moved, by index; the others are made of values.
  private let moves: [Int: BlockMove]

  public var files: [CheckpointFile] { [] }

  /// The view of a directory whose architecture is known; nil for any other source.
  /// Throws `ArchitectureError` for tensors that don't fit the configuration.
  public init?(_ source: any Checkpoint, preTokenizer: String? = nil) throws {
    let source = Self.mapped(source)
    let directory = (source as? SafetensorsCheckpoint)?.directory ?? (source as? LayoutCheckpoint)?.directory
    guard let directory, Path.isDirectory(source.path), Path.exists(Path.join(directory, "config.json")) else {
      return nil
    }
    let model = try HuggingFaceModel(directory: directory)
    guard let architecture = ArchitectureRegistry.find(config: model.config) else { return nil }
    let inputs = source.tensors.map {
      SourceTensor(name: $0.name, shape: $0.shape, dtype: ($0.codec as? PlainCodec)?.dtype ?? .bf16)
    }
    let type = OutputType.automatic(inputs)
    var map = try architecture.map(config: model.config, tensors: inputs, type: type)
    moves = try Self.keepCodes(&map, of: source)
    self.source = source
    self.map = map.tensors
    metadata = try architecture.metadata(model, map: map, type: type, preTokenizer: preTokenizer)
    dropped = map.dropped.map { (source.tensors[$0.tensor].name, $0.reason) }
    tensors = try map.tensors.map {
      CheckpointTensor(name: $0.name, shape: $0.shape, codec: try $0.type.codec)
    }
  }

  /// The rules for gpt-oss weave its codes themselves, and know them by their stored names.
  private static func mapped(_ source: any Checkpoint) -> any Checkpoint {
    guard let seen = source as? LayoutCheckpoint, seen.logical.contains(where: { $0.layout == Layouts.gptOSS }) else {
      return source
    }
    return seen.stored
  }

  /// Gives mapped tensors whose codes can be kept ggml's type, and the factors of whole tensors a place beside them.
  private static func keepCodes(_ map: inout ArchitectureMap, of source: any Checkpoint) throws -> [Int: BlockMove] {
    var (tensors, moves) = ([GGUFMappedTensor](), [Int: BlockMove]())
    for var tensor in map.tensors {
      guard let move = try BlockMove(tensor, of: source) else {
        tensors.append(tensor)
        continue
      }
      tensor.type = move.type
      moves[tensors.count] = move
      tensors.append(tensor)
      if let factors = move.factorTensor(beside: tensor) { tensors.append(factors) }
    }
    map.tensors = tensors
    return moves
  }

  public func read(
    _ tensor: Int, elements: Range<Int>, into planes: [UnsafeMutableRawBufferPointer]
  ) throws -> [Int] {
    let reader = MappedReader(source: source)
    if let move = moves[tensor] {
      try reader.move(map[tensor], by: move, elements, into: planes[0])
    } else {
      try reader.read(map[tensor], as: map[tensor].type.plainDType, elements, into: planes[0])
    }
    return [planes[0].count]
  }

  public func segments(of file: CheckpointFile) throws -> [SourceSegment] { [] }
  public func sha256(of file: CheckpointFile) throws -> [UInt8]? { nil }
}
