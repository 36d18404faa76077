import ByteIO
import Codecs
import GGUF
import Tensors

/// A GGUF file, or all shards of one, as a checkpoint.
public struct GGUFCheckpoint: FileCheckpoint {
  public let path: String
  public let directory: String
  public let tensors: [CheckpointTensor]
  public let files: [CheckpointFile]
  public let tensorFiles: [(name: String, file: InputFile)]
  public let locations: [[FileRange]]
  public let metadata: GGUFMetadata
  let isBigEndian: Bool

  public var format: ContainerFormat { .gguf }

  /// Opens the file, and the other shards if it is one of several. Throws `GGUFError` or `IOError`.
  public init(_ path: String) throws {
    let model = try GGUFModel(path)
    self.path = path
    directory = Path.directory(of: path)
    metadata = model.metadata
    isBigEndian = model.shards.contains { $0.header.byteOrder == .big }
    tensorFiles = model.shards.map { (Path.name(of: $0.path), $0.input) }
    files = tensorFiles.map { CheckpointFile(name: $0.name, size: $0.file.size, holdsTensors: true) }
    tensors = try model.tensors.map { entry in
      CheckpointTensor(name: entry.tensor.name, shape: entry.tensor.shape, codec: try entry.tensor.type.codec)
    }
    locations = model.tensors.map { [FileRange(file: $0.shard, range: $0.tensor.range)] }
  }

  /// The metadata as text; arrays by their length.
  public var facts: [(key: String, value: String)] {
    metadata.entries.map { ($0.key, Self.text($0.value)) }
  }

  private static func text(_ value: GGUFValue) -> String {
    switch value {
    case .string(let text): text.text ?? "\(text.bytes.count) bytes that are not UTF-8"
    case .array(let array): "\(array.count) × \(array.elementType)"
    case .bool(let value): "\(value)"
    case .float32(let value): "\(value)"
    case .float64(let value): "\(value)"
    default: value.integer.map { "\($0)" } ?? "out of range"
    }
  }
}

extension GGMLType {
  /// The codec of the type: a plain one where the bytes are plain.
  public var codec: any Codec {
    get throws(CodecError) {
      if let dtype = plainDType { return PlainCodec(dtype) }
      return try GGMLCodec(self)
    }
  }
}
