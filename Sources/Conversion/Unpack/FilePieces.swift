import ByteIO
import Checkpoints
import Codecs
import Layouts
import Tensors

/// An original file as pieces that are made one by one, in order: literal bytes, zeros, and spans of tensors in the
/// form that the file had them in.
struct FilePieces: Sendable {
  let units: SpanUnits
  /// True if every tensor comes back bit for bit.
  let isExact: Bool
  /// Bytes that the largest piece keeps in memory.
  let largest: Int
  private let file: CheckpointFile
  private let checkpoint: BaleCheckpoint
  private let sources: [Source]

  private enum Source: Sendable {
    case literal(Range<Int>)
    case zeros(Int)
    case tensor(TensorConverter)
    case plane(any ByteRanges, Arrangement, count: Int)
    case swapped(TensorConverter, DType)

    var run: SpanUnits.Run {
      switch self {
      case .literal(let range): SpanUnits.Run(elements: range.count, span: SpanRule.target)
      case .zeros(let count): SpanUnits.Run(elements: count, span: SpanRule.target)
      case .tensor(let converter), .swapped(let converter, _):
        SpanUnits.Run(
          elements: converter.reader.elements,
          span: SpanRule.elements(
            [converter.transcoder.source, converter.transcoder.target], columns: converter.reader.columns))
      case .plane(_, let arrangement, let count): SpanUnits.Run(elements: count, span: arrangement.pieceBytes)
      }
    }

    func bytes(_ run: SpanUnits.Run) -> Int {
      let converter: TensorConverter
      switch self {
      case .literal, .zeros, .plane: return min(run.span, run.elements)
      case .tensor(let own), .swapped(let own, _): converter = own
      }
      return [converter.transcoder.source, converter.transcoder.target].reduce(0) {
        $0 + $1.byteCount(elements: min(run.span, run.elements), columns: converter.reader.columns)
      }
    }
  }

  init(_ checkpoint: BaleCheckpoint, file: CheckpointFile) throws {
    self.file = file
    self.checkpoint = checkpoint
    var exact = true
    func converter(_ index: Int, _ form: any Codec, _ range: Range<Int>) throws -> TensorConverter {
      let tensor = checkpoint.tensors[index]
      guard range == 0..<form.byteCount(of: tensor.shape), form.planes.count == 1 else {
        throw UnrestorableFile(file: file.name, path: checkpoint.path)
      }
      if !Transcoder.isExact(from: tensor.codec, to: form) || tensor.error != nil { exact = false }
      return try TensorConverter(checkpoint, tensor: index, to: form, rule: nil, measured: false)
    }
    let sources = try checkpoint.segments(of: file).map { segment -> Source in
      switch segment {
      case .literal(let range): return .literal(range)
      case .zeros(let count): return .zeros(count)
      case .layout(let text, let index, let range):
        return try Self.plane(of: index, in: checkpoint, by: text, range, file: file)
      case .tensor(let index, let range):
        let tensor = checkpoint.tensors[index]
        let form: any Codec = tensor.sourceDType.map { PlainCodec($0) } ?? tensor.codec
        return .tensor(try converter(index, form, range))
      case .swapped(let index, let range):
        guard let dtype = checkpoint.tensors[index].sourceDType else {
          throw UnrestorableFile(file: file.name, path: checkpoint.path)
        }
        return .swapped(try converter(index, PlainCodec(dtype), range), dtype)
      }
    }
    self.sources = sources
    isExact = exact
    units = SpanUnits(sources.map(\.run))
    largest = sources.map { $0.bytes($0.run) }.max() ?? 0
  }

  /// A stored tensor that is made of a plane. Throws `UnrestorableFile` if the arrangement isn't known, or doesn't fit.
  private static func plane(
    of index: Int, in checkpoint: BaleCheckpoint, by text: String, _ range: Range<Int>, file: CheckpointFile
  ) throws -> Source {
    guard let arrangement = try? Arrangement(parsing: text),
      checkpoint.tensors[index].codec.planes.indices.contains(arrangement.plane)
    else { throw UnrestorableFile(file: file.name, path: checkpoint.path) }
    let plane = arrangement.source(checkpoint, tensor: index)
    guard range.lowerBound == 0, arrangement.sizes ?? (range.count, range.count) == (range.count, plane.count) else {
      throw UnrestorableFile(file: file.name, path: checkpoint.path)
    }
    return .plane(plane, arrangement, count: range.count)
  }

  /// The bytes of a piece.
  func bytes(of unit: SpanUnits.Unit) throws -> ByteBuffer {
    switch sources[unit.run] {
    case .zeros:
      let buffer = ByteBuffer(count: unit.elements.count)
      buffer.withMutableBytes { _ = $0.initializeMemory(as: UInt8.self, repeating: 0) }
      return buffer
    case .literal(let range):
      let start = range.lowerBound + unit.elements.lowerBound
      let bytes = try checkpoint.read(start..<start + unit.elements.count, of: file)
      let buffer = ByteBuffer(count: bytes.count)
      buffer.withMutableBytes { $0.copyBytes(from: bytes) }
      return buffer
    case .plane(let plane, let arrangement, _):
      let buffer = ByteBuffer(count: unit.elements.count)
      try buffer.withMutableBytes { try arrangement.restore(at: unit.elements.lowerBound, into: $0, from: plane) }
      return buffer
    case .tensor(let converter):
      if unit.elements.isEmpty { return ByteBuffer(count: 0) }
      return try converter.convert(unit.elements).0.onlyPlane
    case .swapped(let converter, let dtype):
      if unit.elements.isEmpty { return ByteBuffer(count: 0) }
      let buffer = try converter.convert(unit.elements).0.onlyPlane
      buffer.withMutableBytes { $0.swapNumbers(of: dtype) }
      return buffer
    }
  }
}
