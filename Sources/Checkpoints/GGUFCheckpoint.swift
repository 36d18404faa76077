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

  public var format: ContainerFormat { .gguf }

  /// Opens the file, and the other shards if it is one of several. Throws `GGUFError`, `IOError` or
  /// `UnreadableEncoding`.
  public init(_ path: String) throws {
    let set = try GGUFSplitSet(path)
    self.path = path
    directory = Path.directory(of: path)
    metadata = set.metadata
    tensorFiles = set.files.map { (Path.name(of: $0.path), $0.input) }
    files = tensorFiles.map { CheckpointFile(name: $0.name, size: $0.file.size, holdsTensors: true) }
    var tensors: [CheckpointTensor] = []
    var locations: [[FileRange]] = []
    for (index, file) in set.files.enumerated() {
      for tensor in file.tensors {
        tensors.append(CheckpointTensor(name: tensor.name, shape: tensor.shape, codec: tensor.type.codec))
        locations.append([FileRange(file: index, range: tensor.range)])
      }
    }
    self.tensors = tensors
    self.locations = locations
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
    plainDType.map { PlainCodec($0) } ?? GGMLCodec(self)
  }
}
