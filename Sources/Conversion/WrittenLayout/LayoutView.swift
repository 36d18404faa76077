import ByteIO
import Checkpoints
import Codecs
import JSON
import Pipeline
import Tensors

/// A checkpoint seen in a layout that other programs load: in place of each weight matrix stand the layout's stored
/// tensors, made as they are read. A matrix that is in the layout's encoding already keeps its codes; another is
/// quantized, once for each of its stored tensors that is read.
public struct LayoutView: Checkpoint {
  public let tensors: [CheckpointTensor]
  /// config.json with the layout's quantization.
  public let configuration: (name: String, bytes: [UInt8])
  private let source: any Checkpoint
  private let entries: [Entry]
  private let converters: Monitor<[Int: TensorConverter]>
  private let codec: any QuantizingCodec

  /// A tensor of the source: as it is, or a plane of its encoding.
  private struct Entry: Sendable {
    var tensor: Int
    var plane: Int?
  }

  public var path: String { source.path }
  public var format: ContainerFormat { source.format }
  public var files: [CheckpointFile] { source.files }
  public var storage: [(path: String, size: Int)] { source.storage }
  public var skipped: [String] { source.skipped }
  public var facts: [(key: String, value: String)] { source.facts }

  /// Throws `PlanError` if the source has no config.json, which the layout is described in, or no weight matrices.
  public init(_ source: any Checkpoint, as layout: WrittenLayout) throws {
    let codec = try layout.codec()
    var (tensors, entries, ignored) = ([CheckpointTensor](), [Entry](), [String]())
    for (index, tensor) in source.tensors.enumerated() {
      let module = tensor.name.hasSuffix(".weight") ? String(tensor.name.dropLast(".weight".count)) : nil
      guard let module, tensor.shape.rank == 2, TargetEncoding.isFloat(tensor.codec) else {
        tensors.append(tensor)
        entries.append(Entry(tensor: index))
        continue
      }
      guard Self.isQuantized(tensor.role),
        let parts = layout.parts(rows: tensor.shape.dimensions[0], columns: tensor.shape.columns)
      else {
        if !Self.isTable(tensor.role) { ignored.append(module) }
        tensors.append(tensor)
        entries.append(Entry(tensor: index))
        continue
      }
      for (plane, part) in parts.enumerated() {
        guard let shape = Shape(part.shape) else { continue }
        tensors.append(
          CheckpointTensor(name: "\(module).\(part.suffix)", shape: shape, codec: PlainCodec(part.dtype)))
        entries.append(Entry(tensor: index, plane: plane))
      }
    }
    guard entries.contains(where: { $0.plane != nil }) else {
      throw PlanError(reason: "there is no weight matrix to be written as \(layout.rawValue)")
    }
    self.source = source
    (self.tensors, self.entries, self.codec) = (tensors, entries, codec)
    converters = Monitor([:])
    configuration = try Self.configuration(of: source, layout.configuration(ignored: ignored))
  }

  private static func isQuantized(_ role: TensorRole) -> Bool {
    switch role {
    case .expert, .attention, .linear: true
    default: false
    }
  }

  /// True for embeddings, which are no linear modules and need not be named as left alone.
  private static func isTable(_ role: TensorRole) -> Bool { role == .embedding || role == .norm }

  private static func configuration(
    of source: any Checkpoint, _ quantization: JSONValue
  ) throws -> (name: String, bytes: [UInt8]) {
    guard let plain = try PlainConfiguration.make(of: source, dtype: nil),
      var config = try JSONValue(parsing: plain.bytes, duplicateKeys: .kept).object
    else { throw PlanError(reason: "there is no config.json to describe the layout in") }
    config["quantization_config"] = quantization
    return (plain.name, JSONValue.object(config).encoded(.python(indent: 2)) + [UInt8(ascii: "\n")])
  }

  public func read(
    _ tensor: Int, elements: Range<Int>, into planes: [UnsafeMutableRawBufferPointer]
  ) throws -> [Int] {
    let entry = entries[tensor]
    guard let plane = entry.plane else { return try source.read(entry.tensor, elements: elements, into: planes) }
    let size = PlainCodec.bytes(tensors[tensor], elements)
    try readPlane(plane, of: entry.tensor, bytes: size, into: planes[0])
    return [planes[0].count]
  }

  /// Fills `target` with a range of a plane's bytes, span by span.
  private func readPlane(
    _ plane: Int, of tensor: Int, bytes: Range<Int>, into target: UnsafeMutableRawBufferPointer
  ) throws {
    guard !bytes.isEmpty else { return }
    let converter = try converter(tensor)
    let (columns, total) = (converter.reader.columns, converter.reader.elements)
    let span = SpanRule.elements([converter.reader.codec, codec], columns: columns)
    let whole = codec.planes[plane].extent == .whole
    let spanBytes = codec.bytes(plane: plane, elements: span, columns: columns)
    let first = whole ? 0 : bytes.lowerBound / spanBytes
    let last = whole ? 0 : (bytes.upperBound - 1) / spanBytes
    for index in first...last {
      let elements = index * span..<min((index + 1) * span, total)
      try converter.convert(elements).0.withSpan { made in
        let from = made.planes[plane]
        let start = index * (whole ? 0 : spanBytes)
        let wanted = bytes.clamped(to: start..<start + from.count)
        UnsafeMutableRawBufferPointer(rebasing: target[(wanted.lowerBound - bytes.lowerBound)...])
          .copyMemory(
            from: UnsafeRawBufferPointer(
              rebasing: from[wanted.lowerBound - start..<wanted.upperBound - start]))
      }
    }
  }

  /// What makes a tensor, with the statistics of the whole tensor that it needs.
  private func converter(_ tensor: Int) throws -> TensorConverter {
    try converters.withLock { known in
      if let converter = known[tensor] { return converter }
      var converter = try TensorConverter(source, tensor: tensor, to: codec, rule: nil, measured: false)
      try converter.gatherStatistics(Resources(threads: 1, memory: 32 << 20))
      known[tensor] = converter
      return converter
    }
  }

  public func segments(of file: CheckpointFile) throws -> [SourceSegment] { try source.segments(of: file) }
  public func read(_ range: Range<Int>, of file: CheckpointFile) throws -> [UInt8] {
    try source.read(range, of: file)
  }
  public func open(_ file: CheckpointFile) throws -> InputFile { try source.open(file) }
  public func sha256(of file: CheckpointFile) throws -> [UInt8]? { try source.sha256(of: file) }
  public func checkUnchanged() throws { try source.checkUnchanged() }
}

extension PlainCodec {
  /// The bytes of a run of elements of a plain tensor of whole bytes.
  fileprivate static func bytes(_ tensor: CheckpointTensor, _ elements: Range<Int>) -> Range<Int> {
    let size = (tensor.codec as? PlainCodec).map { $0.dtype.bits / 8 } ?? 1
    return elements.lowerBound * size..<elements.upperBound * size
  }
}
