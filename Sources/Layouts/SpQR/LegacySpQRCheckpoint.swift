import ByteIO
import Checkpoints
import Codecs
import Pipeline
import Tensors

/// A model as SpQR's quantizer saves it: a folder of files for each layer, and what wasn't quantized in one file.
public struct LegacySpQRCheckpoint: Checkpoint {
  public let path: String
  public let tensors: [CheckpointTensor]
  public let storage: [(path: String, size: Int)]
  private let entries: [Entry]
  private let rest: TorchArchive
  private let last = Monitor((entry: Int, span: SpQRMatrix)?.none)

  private enum Entry: Sendable {
    case plain(Range<Int>)
    case module(LegacySpQRModule)
  }

  private static let plainWeights = "not_quantized_weights.pt"
  private static let arguments = "args.pt"

  /// Nil for anything but such a directory. Throws `TorchError` or `IOError`.
  public init?(_ path: String) throws {
    guard Path.isDirectory(path), Path.exists(Path.join(path, Self.plainWeights)),
      Path.exists(Path.join(path, Self.arguments))
    else { return nil }
    self.path = path
    let arguments = try TorchArchive(Path.join(path, Self.arguments))
    guard let bits = arguments.content["wbits"]?.integer else {
      throw TorchError(.missing("wbits"), file: arguments.file.path)
    }
    rest = try TorchArchive(Path.join(path, Self.plainWeights))
    var list = EntryList()
    try list.addPlain(rest)
    let prefix = list.tensors.contains { $0.name.hasPrefix("transformer.h.") } ? "transformer.h" : "model.layers"
    for layer in try Path.entries(of: path).compactMap({ Int($0) }).sorted() {
      let folder = Path.join(path, "\(layer)")
      for name in try Path.entries(of: folder).sorted() {
        let module = try LegacySpQRModule(Path.join(folder, name), bits: bits)
        try list.add(module, name: "\(prefix).\(layer).\(name).weight", file: Path.join(folder, name))
      }
    }
    tensors = list.tensors
    entries = list.entries
    storage = list.storage + [(rest.file.path, rest.file.size), (arguments.file.path, arguments.file.size)]
  }

  private struct EntryList {
    var tensors: [CheckpointTensor] = []
    var entries: [Entry] = []
    var storage: [(path: String, size: Int)] = []

    mutating func addPlain(_ archive: TorchArchive) throws {
      guard case .dictionary(let members) = archive.content else {
        throw TorchError(.value("it is no dictionary of tensors"), file: archive.file.path)
      }
      for (key, value) in members {
        guard case .string(let name) = key, let tensor = value.tensor, let shape = Shape(tensor.shape) else { continue }
        entries.append(.plain(try archive.bytes(of: tensor)))
        tensors.append(CheckpointTensor(name: name, shape: shape, codec: PlainCodec(tensor.dtype)))
      }
    }

    mutating func add(_ module: LegacySpQRModule, name: String, file: String) throws {
      guard let shape = Shape([module.rows, module.columns]), shape.elements <= Int.max / 64 else {
        throw TorchError(.value("its sides can't be counted"), file: file)
      }
      let size = try InputFile(file).size
      var entry = CheckpointTensor(name: name, shape: shape, codec: module.codec, storedBytes: size)
      entry.layout = "SpQR"
      tensors.append(entry)
      entries.append(.module(module))
      storage.append((file, size))
    }
  }

  public var format: ContainerFormat { .safetensors }
  public var files: [CheckpointFile] { [] }
  public var skipped: [String] { [] }
  public var facts: [(key: String, value: String)] { [] }

  public func read(
    _ tensor: Int, elements: Range<Int>, into planes: [UnsafeMutableRawBufferPointer]
  ) throws -> [Int] {
    switch entries[tensor] {
    case .plain(let range):
      guard let codec = tensors[tensor].codec as? PlainCodec else { return [] }
      try rest.file.read(at: range.lowerBound + elements.lowerBound * codec.dtype.bits / 8, into: planes[0])
      return [planes[0].count]
    case .module(let module):
      let rows = elements.lowerBound / max(module.columns, 1)..<elements.upperBound / max(module.columns, 1)
      let part = try span(tensor, module).slice(rows, tileRows: module.codec.dense.tileRows)
      let packed = try module.codec.pack(part)
      for (plane, bytes) in zip(planes, packed) { plane.copyBytes(from: bytes) }
      return packed.map(\.count)
    }
  }

  /// The weight that was read last is kept, as its runs are read one after another.
  private func span(_ entry: Int, _ module: LegacySpQRModule) throws -> SpQRMatrix {
    if let last = last.withLock({ $0 }), last.entry == entry { return last.span }
    let span = try module.span()
    last.withLock { $0 = (entry, span) }
    return span
  }

  public func segments(of file: CheckpointFile) throws -> [SourceSegment] { [] }
  public func read(_ range: Range<Int>, of file: CheckpointFile) throws -> [UInt8] { [] }
  public func open(_ file: CheckpointFile) throws -> InputFile { try InputFile(Path.join(path, file.name)) }
  public func sha256(of file: CheckpointFile) throws -> [UInt8]? { nil }
  public func checkUnchanged() throws { try rest.file.checkUnchanged() }
}
