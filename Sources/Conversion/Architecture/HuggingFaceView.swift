import Architectures
import ByteIO
import Checkpoints
import Codecs
import GGUF
import Tensors

/// A GGUF model seen as the Hugging Face checkpoint it came from: experts unstacked, permutations undone, with its
/// config.json and tokenizer files.
public struct HuggingFaceView: CheckpointView {
  public let tensors: [CheckpointTensor]
  /// config.json and the tokenizer's files.
  public let made: [(name: String, bytes: [UInt8])]
  /// GGUF tensors that have no place in the checkpoint, with the reason.
  public let dropped: [(name: String, reason: String)]
  public let source: any Checkpoint
  private let map: [HuggingFaceMappedTensor]

  public var files: [CheckpointFile] { [] }
  public var skipped: [String] { [] }

  /// The view of a GGUF model whose architecture is known; nil for any other source.
  /// - Parameter dtype: of the float tensors; nil for that of the model's matrices, BF16 if they are quantized.
  /// Throws `ArchitectureError` for tensors that don't fit the metadata.
  public init?(_ source: any Checkpoint, dtype: DType?) throws {
    guard let metadata = GGUFSource.metadata(of: source), !(source is GGUFView),
      let architecture = ArchitectureRegistry.find(metadata: metadata)
    else { return nil }
    let infos = try source.tensors.map { tensor in
      guard let type = GGMLForm.type(of: tensor.codec) else { throw ArchitectureError.unknownTensor(tensor.name) }
      return GGUFTensorInfo(name: tensor.name, type: type, shape: tensor.shape)
    }
    let reverse = try architecture.reverse(metadata: metadata, tensors: infos, dtype: dtype)
    self.source = source
    map = reverse.tensors
    dropped = reverse.dropped.map { (source.tensors[$0.tensor].name, $0.reason) }
    tensors = reverse.tensors.map { CheckpointTensor(name: $0.name, shape: $0.shape, codec: PlainCodec($0.type)) }
    made = try architecture.files(
      metadata: metadata, tensors: infos, dtype: dtype, constants: Self.constants(of: source)
    ).files
  }

  /// Values of the tensors that follow from the configuration, from which it is told.
  private static func constants(of source: any Checkpoint) throws -> [String: [Float]] {
    var constants: [String: [Float]] = [:]
    for (index, tensor) in source.tensors.enumerated()
    where tensor.name.hasPrefix("rope_f") && tensor.shape.elements <= 1 << 16 {
      let reader = SpanReader(source, tensor: index)
      let values = try reader.values(0..<tensor.shape.elements)
      constants[tensor.name] = values.withFloats { Array($0) }
    }
    return constants
  }

  public func read(
    _ tensor: Int, elements: Range<Int>, into planes: [UnsafeMutableRawBufferPointer]
  ) throws -> [Int] {
    try MappedReader(source: source).read(map[tensor], as: map[tensor].type, elements, into: planes[0])
    return [planes[0].count]
  }

  public func segments(of file: CheckpointFile) throws -> [SourceSegment] { [] }
  public func sha256(of file: CheckpointFile) throws -> [UInt8]? { nil }
}
