import ByteIO
import Codecs
import ONNX
import Tensors

/// An ONNX model with the files of its external data, as a checkpoint: its tensors are the initializers and constants
/// whose bytes lie in a file; integers narrower than a byte as bytes. Named as a directory, what lies beside belongs to
/// it.
public struct ONNXCheckpoint: FileCheckpoint {
  public let path: String
  public let directory: String
  public let tensors: [CheckpointTensor]
  public let files: [CheckpointFile]
  public let locations: [[FileRange]]
  public let skipped: [String]
  /// The graph: which operation takes which tensor for what.
  public let model: ONNXModel

  public var format: ContainerFormat { .onnx }
  public var tensorFiles: [(name: String, file: InputFile)] { model.files }
  public var facts: [(key: String, value: String)] { model.facts }

  /// Opens a model, or a directory that holds one. Throws `ONNXError`, `IOError`, or `UnknownFormat`.
  public init(_ path: String) throws {
    self.path = path
    var sidecars: [String] = []
    var folders: [String] = []
    if Path.isDirectory(path) {
      let entries = try Path.entries(of: path)
      guard let name = Self.onlyModel(among: entries) else { throw UnknownFormat(path: path) }
      directory = path
      model = try ONNXModel(Path.join(path, name))
      let taken = Set(model.files.map(\.name))
      folders = entries.filter { Path.isDirectory(Path.join(path, $0)) }
      sidecars = entries.filter { !folders.contains($0) && !taken.contains($0) }
    } else {
      directory = Path.directory(of: path)
      model = try ONNXModel(path)
    }
    skipped = folders.sorted()
    var files = model.files.map { CheckpointFile(name: $0.name, size: $0.file.size, holdsTensors: true) }
    for name in sidecars {
      files.append(
        CheckpointFile(name: name, size: try InputFile(Path.join(directory, name)).size, holdsTensors: false))
    }
    self.files = files.sorted { $0.name < $1.name }
    (tensors, locations) = try Self.list(model)
  }

  /// True for a directory that holds one model and no safetensors.
  static func isModel(_ directory: String) throws -> Bool {
    let entries = try Path.entries(of: directory)
    return onlyModel(among: entries) != nil && !entries.contains { $0.contains(".safetensors") }
  }

  private static func onlyModel(among entries: [String]) -> String? {
    let models = entries.filter { $0.hasSuffix(".onnx") }
    return models.count == 1 ? models[0] : nil
  }

  /// The tensors in the order of the files. Throws `ONNXReason.overlap`.
  private static func list(_ model: ONNXModel) throws -> ([CheckpointTensor], [[FileRange]]) {
    var found: [(CheckpointTensor, FileRange)] = []
    for tensor in model.tensors {
      guard case .stored(let file, let range) = tensor.content, let entry = entry(tensor) else { continue }
      found.append((entry, FileRange(file: file, range: range)))
    }
    found.sort { ($0.1.file, $0.1.range.lowerBound) < ($1.1.file, $1.1.range.lowerBound) }
    var last: (CheckpointTensor, FileRange)?
    for next in found where !next.1.range.isEmpty {
      if let last, last.1.file == next.1.file, last.1.range.upperBound > next.1.range.lowerBound {
        throw ONNXError(.overlap(last.0.name), file: model.files[next.1.file].file.path, tensor: next.0.name)
      }
      last = next
    }
    return (found.map(\.0), found.map { [$0.1] })
  }

  private static func entry(_ tensor: ONNXTensor) -> CheckpointTensor? {
    let count = tensor.byteCount
    guard let dtype = tensor.type.dtype, dtype.bytes(elements: tensor.elements) == count else {
      return Shape([count]).map { CheckpointTensor(name: tensor.name, shape: $0, codec: PlainCodec(.u8)) }
    }
    return Shape(tensor.dimensions).map {
      CheckpointTensor(name: tensor.name, shape: $0, codec: PlainCodec(dtype))
    }
  }
}
