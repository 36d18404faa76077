import ByteIO
import Checkpoints
import Codecs
import JSON
import Layouts
import Tensors

/// A checkpoint as another library stores it: weight matrices as that library's tensors, the rest as it is. Matrices
/// that have an encoding the layout holds with the same values keep every code; plain ones are quantized.
public struct RelaidCheckpoint: CheckpointView {
  public let tensors: [CheckpointTensor]
  /// config.json with what the library has to know.
  public let made: [(name: String, bytes: [UInt8])]
  /// Tensors whose codes are kept, and tensors that are quantized.
  public let kept: Int
  public let quantized: Int
  public let source: any Checkpoint
  private let entries: [Entry]
  private let encoded: EncodedPlanes

  private enum Entry: Sendable {
    case source(Int)
    case written(WrittenTensor, tensor: Int, codec: any Codec, elements: Int, columns: Int)
  }

  /// What travels along: all files without tensors but the old configuration.
  public let files: [CheckpointFile]

  /// Decides what becomes of every tensor.
  /// - Parameter quantize: the encoding of what is quantized; nil for the layout's own.
  /// Throws `PlanError` naming a tensor that the layout can't hold as it is.
  public init(
    _ source: any Checkpoint, writer: any LayoutWriter, quantize: (any Codec)? = nil, rule: ScaleRule? = nil,
    threads: Int
  ) throws {
    let source: any Checkpoint = writer is GPTOSSWriter ? OutputMajorExperts(source) ?? source : source
    self.source = source
    var builder = Builder(writer: writer, quantize: quantize, rule: rule)
    for index in source.tensors.indices { try builder.add(index, of: source) }
    guard !builder.converters.isEmpty else {
      throw PlanError(reason: "there is no weight matrix to be written as \(writer.name)")
    }
    tensors = builder.tensors
    entries = builder.entries
    kept = builder.kept
    quantized = builder.converters.count - builder.kept
    encoded = EncodedPlanes(builder.converters, threads: threads)
    let config = try builder.configuration(of: source)
    let travelling = (source as? HuggingFaceView)?.made.filter { $0.name != config?.name } ?? []
    made = travelling + (config.map { [$0] } ?? [])
    files = source.files.filter {
      !$0.holdsTensors && $0.name != config?.name && !PlainConfiguration.isObsolete($0)
    }
  }

  public func read(
    _ tensor: Int, elements: Range<Int>, into planes: [UnsafeMutableRawBufferPointer]
  ) throws -> [Int] {
    switch entries[tensor] {
    case .source(let index): return try source.read(index, elements: elements, into: planes)
    case .written(let written, let index, let codec, let count, let columns):
      let start = elements.lowerBound * written.dtype.bits / 8
      switch written.content {
      case .bytes(let bytes): planes[0].copyBytes(from: bytes[start..<start + planes[0].count])
      case .text(let length, let plane, let make):
        let size = codec.bytes(plane: plane, elements: count, columns: columns)
        let whole = ByteBuffer(count: size)
        let made = try whole.withMutableBytes {
          try EncodedPlane(planes: encoded, tensor: index, plane: plane, count: size).read(at: 0, into: $0)
          return make(UnsafeRawBufferPointer($0))
        }
        planes[0].copyBytes(
          from: (made + Array(repeating: 0x20, count: max(length - made.count, 0)))[start...].prefix(planes[0].count))
      case .plane(let arrangement):
        let size = codec.bytes(plane: arrangement.plane, elements: count, columns: columns)
        let plane = EncodedPlane(planes: encoded, tensor: index, plane: arrangement.plane, count: size)
        try arrangement.restore(at: start, into: planes[0], from: plane)
      }
      return [planes[0].count]
    }
  }

  public func sha256(of file: CheckpointFile) throws -> [UInt8]? { nil }
}

extension RelaidCheckpoint {
  /// Goes through the source's tensors.
  private struct Builder {
    let writer: any LayoutWriter
    let quantize: (any Codec)?
    let rule: ScaleRule?
    var tensors: [CheckpointTensor] = []
    var entries: [Entry] = []
    var converters: [Int: TensorConverter] = [:]
    var kept = 0
    /// Modules whose weight matrix stayed plain.
    var plain: [String] = []
    /// Of the first matrix in the layout, and its columns, which the configuration describes.
    var encoding: (codec: any Codec, columns: Int)?

    mutating func add(_ index: Int, of source: any Checkpoint) throws {
      let tensor = source.tensors[index]
      guard writer.takes(tensor.name, tensor.shape), let codec = try target(of: tensor) else {
        if isLinear(tensor) { plain.append(String(tensor.name.dropLast(".weight".count))) }
        tensors.append(tensor)
        entries.append(.source(index))
        return
      }
      let module = String(tensor.name.dropLast(writer.suffix.count))
      do {
        converters[index] = try TensorConverter(source, tensor: index, to: codec, rule: rule, measured: false)
        for written in try writer.stored(module, shape: tensor.shape, codec: codec) {
          guard let shape = Shape(written.shape) else { continue }
          tensors.append(CheckpointTensor(name: written.name, shape: shape, codec: PlainCodec(written.dtype)))
          entries.append(
            .written(
              written, tensor: index, codec: codec, elements: tensor.shape.elements, columns: tensor.shape.columns))
        }
      } catch let error as CodecError {
        throw PlanError(tensor: tensor.name, reason: "\(error)")
      }
      try note(codec, of: tensor)
    }

    /// True for the weights of a linear module, which a loader expects in the layout unless it is told otherwise.
    private func isLinear(_ tensor: CheckpointTensor) -> Bool {
      tensor.name.hasSuffix(".weight") && tensor.shape.rank == 2 && tensor.role != .embedding && tensor.role != .norm
    }

    /// One configuration describes all: a second encoding would be read as the first.
    private mutating func note(_ codec: any Codec, of tensor: CheckpointTensor) throws(PlanError) {
      if let encoding, !describesAlike(encoding, (codec, tensor.shape.columns)) {
        throw PlanError(
          tensor: tensor.name,
          reason: "\(writer.name) would hold it as \(codec.descriptor), and others as \(encoding.codec.descriptor); "
            + "give --quantize with one encoding for all")
      }
      if encoding == nil { encoding = (codec, tensor.shape.columns) }
    }

    /// True if one configuration serves both.
    private func describesAlike(_ first: (any Codec, Int), _ second: (any Codec, Int)) -> Bool {
      if first.0.descriptor == second.0.descriptor { return true }
      guard type(of: first.0) == type(of: second.0) else { return false }
      func text(_ encoding: (any Codec, Int)) -> JSONValue {
        .object(
          JSONObject(writer.configuration(encoding.0, columns: encoding.1, plain: []).map { .init($0.key, $0.value) }))
      }
      return text(first) == text(second)
    }

    /// The encoding of a tensor in the layout; nil if it stays plain. Throws `PlanError` if it is quantized in another
    /// way, unless an encoding was asked for.
    private mutating func target(of tensor: CheckpointTensor) throws(PlanError) -> (any Codec)? {
      let isPlain = tensor.codec is PlainCodec || tensor.codec is SplitCodec
      if !isPlain, quantize == nil || quantize?.descriptor == tensor.codec.descriptor {
        guard let codec = writer.exactEncoding(for: tensor.codec), writer.holds(tensor.shape, as: codec) else {
          throw PlanError(
            tensor: tensor.name,
            reason: "\(writer.name) can't hold \(tensor.codec.descriptor) of \(tensor.shape) with the same values; "
              + "give --quantize to quantize it anew")
        }
        kept += 1
        return codec
      }
      let isMatrix: Bool
      switch tensor.role {
      case .expert, .attention, .linear: isMatrix = true
      default: isMatrix = !isPlain
      }
      let wanted = quantize ?? writer.defaultEncoding
      guard isMatrix, !isPlain || (tensor.codec as? PlainCodec)?.dtype.isFloat != false else { return nil }
      guard let codec = writer.exactEncoding(for: wanted) else {
        throw PlanError(tensor: tensor.name, reason: "\(writer.name) has no \(wanted.descriptor)")
      }
      guard writer.holds(tensor.shape, as: codec) else {
        if !isPlain { throw PlanError(tensor: tensor.name, reason: "\(writer.name) can't hold \(tensor.shape)") }
        return nil
      }
      return codec
    }

    /// config.json with the layout's members in place of what it said of quantization.
    func configuration(of source: any Checkpoint) throws -> (name: String, bytes: [UInt8])? {
      let described = (source as? HuggingFaceView)?.made.first { $0.name == "config.json" }
      guard let encoding, let old = try described ?? PlainConfiguration.make(of: source, dtype: nil) else { return nil }
      return try PlainConfiguration.changed(old) { config in
        for member in writer.configuration(encoding.codec, columns: encoding.columns, plain: plain) {
          config[member.key] = member.value
        }
      }
    }
  }
}
