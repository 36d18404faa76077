import BaleFormat
import ByteIO
import Codecs
import JSON
import Tensors

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A `.bale` file, or a set of shards, as a checkpoint.
public struct BaleCheckpoint: Checkpoint {
  public let path: String
  public let file: BaleFile
  public let tensors: [CheckpointTensor]
  public let files: [CheckpointFile]
  private let stored: [BaleTensor]
  let references: ReferencedTensors
  private let originals: [ExactString: BaleOriginal]
  private let positions: [ExactString: Int]
  /// Of tensors that are stored as differences, the base's; empty if no base was named.
  private let bases: [Int: PlainReader]

  public var format: ContainerFormat { .bale }
  public var skipped: [String] { [] }

  /// Opens the file. Throws `BaleError`, `IOError`, or `CodecError` for an encoding that this version doesn't have.
  /// - Parameter base: the model that the file is stored as the difference from. Without it such tensors can be
  ///   listed and checked, but not decoded. Throws `BaseError` if it isn't that one.
  public init(_ path: String, base: BaseModel? = nil) throws {
    self.path = path
    let file = try BaleFile(path)
    self.file = file
    let all = file.storedOrder.map { file.tensor(at: $0) }
    let references = try ReferencedTensors(all, in: file)
    self.references = references
    // What only serves other tensors is no tensor of the model.
    let stored = all.filter { !references.isReference($0.name) }
    self.stored = stored
    try base?.check(for: file, path: path)
    var bases: [Int: PlainReader] = [:]
    var tensors: [CheckpointTensor] = []
    for (index, tensor) in stored.enumerated() {
      var codec = try CodecRegistry.codec(tensor.encoding)
      try file.check(tensor, against: codec)
      if let base, let delta = codec as? DeltaCodec {
        bases[index] = try base.reader(of: tensor, delta, path: path)
        codec = PlainCodec(delta.dtype)
      }
      tensors.append(
        CheckpointTensor(
          name: tensor.name, shape: tensor.shape, codec: references.view(of: tensor) ?? codec,
          sourceDType: tensor.dtype, storedBytes: tensor.storedBytes + references.shareOfReference(tensor.name),
          error: tensor.error.map { StoredError(relativeMSE: $0.relativeMSE, maximumError: $0.maximum) }))
    }
    self.tensors = tensors
    self.bases = bases
    positions = Dictionary(stored.enumerated().map { (ExactString($1.name), $0) }) { first, _ in first }
    let originals = file.originals
    self.originals = Dictionary(originals.map { (ExactString($0.name), $0) }) { first, _ in first }
    files = originals.map { original in
      CheckpointFile(
        name: original.name, size: original.size,
        holdsTensors: original.segments.contains { $0.source.isTensor })
    }
  }

  /// The files that make up the `.bale` itself.
  public var storage: [(path: String, size: Int)] { file.fileSizes }

  public var facts: [(key: String, value: String)] {
    guard let metadata = try? JSONValue(parsing: file.metadata).object else { return [] }
    return metadata.members.map { ($0.key, $0.value.string ?? String(decoding: $0.value.encoded(), as: UTF8.self)) }
      + [("root", file.roots.map { hexadecimal($0) }.joined(separator: ", "))]
  }

  /// Layers whose experts have their hidden neurons in another order than the source's (specs/experts.md).
  public var reorderedLayers: [Int] {
    let metadata = try? JSONValue(parsing: file.metadata)
    return metadata?["experts"]?["reordered_layers"]?.array?.compactMap(\.int) ?? []
  }

  /// The roots of the base that tensors are stored as differences from; nil if none is needed.
  public var baseRoots: [String]? { BaseModel.roots(in: file) }

  /// Throws `BaseError.missing` if values can't be had, as the base wasn't named.
  public func checkBase() throws {
    if let roots = baseRoots, tensors.contains(where: { $0.codec is DeltaCodec }) {
      throw BaseError.missing(path: path, roots: roots)
    }
  }

  public func read(
    _ tensor: Int, elements: Range<Int>, into planes: [UnsafeMutableRawBufferPointer]
  ) throws -> [Int] {
    guard let base = bases[tensor], let delta = try CodecRegistry.codec(stored[tensor].encoding) as? DeltaCodec else {
      return try readStored(tensor, tensors[tensor].codec, elements: elements, into: planes)
    }
    let differences = delta.planes.map { _ in ByteBuffer(count: elements.count) }
    try ByteBuffer.withMutableBytes(of: differences) { differences in
      _ = try readStored(tensor, delta, elements: elements, into: differences)
      let span = EncodedSpan(
        planes: differences.map { UnsafeRawBufferPointer($0) }, elements: elements.count, columns: elements.count)
      try base.read(elements).withBytes { try delta.join(span, from: $0, into: planes[0]) }
    }
    return planes.map(\.count)
  }

  private func readStored(
    _ tensor: Int, _ codec: any Codec, elements: Range<Int>, into planes: [UnsafeMutableRawBufferPointer]
  ) throws -> [Int] {
    let entry = stored[tensor]
    if codec is DecodedView { return [try references.read(entry, elements: elements, into: planes[0])] }
    let stride = entry.shape.elements / max(entry.shape.dimensions.first ?? 1, 1)
    var counts = [Int](repeating: 0, count: planes.count)
    for part in entry.parts where !elements.isEmpty {
      let start = part.range.lowerBound * stride
      let wanted = elements.clamped(to: start..<start + part.elements)
      if wanted.isEmpty { continue }
      let inPart = wanted.lowerBound - start..<wanted.upperBound - start
      for span in inPart.lowerBound / part.spanElements...(inPart.upperBound - 1) / part.spanElements {
        let first = span * part.spanElements
        let inSpan = inPart.clamped(to: first..<first + part.elements(inSpan: span))
        let cut = inSpan.lowerBound - first..<inSpan.upperBound - first
        if try readWhole(span, of: part, cut, codec, into: planes, &counts) { continue }
        let bytes = try file.readSpan(span, of: part)
        copy(bytes, cut, codec, part.columns, into: planes, &counts)
      }
    }
    return counts
  }

  /// Appends a whole span, of planes that have a chunk for each, to what is already in `planes`, without a copy; false
  /// where it isn't that.
  private func readWhole(
    _ span: Int, of part: BalePart, _ elements: Range<Int>, _ codec: any Codec,
    into planes: [UnsafeMutableRawBufferPointer], _ counts: inout [Int]
  ) throws -> Bool {
    guard elements == 0..<part.elements(inSpan: span), codec.planes.allSatisfy({ $0.extent == .perSpan }) else {
      return false
    }
    let lengths = planes.indices.map { file.decodedLength(ofChunk: span, plane: $0, of: part) }
    guard planes.indices.allSatisfy({ counts[$0] + lengths[$0] <= planes[$0].count }) else { return false }
    for plane in planes.indices {
      let target = planes[plane][counts[plane]..<counts[plane] + lengths[plane]]
      try file.readChunk(span, plane: plane, of: part, into: UnsafeMutableRawBufferPointer(rebasing: target))
      counts[plane] += lengths[plane]
    }
    return true
  }

  public func runs(covering elements: Range<Int>, of tensor: Int) -> [Range<Int>] {
    let entry = stored[tensor]
    let codec = tensors[tensor].codec
    let extents = codec.planes.map(\.extent)
    let stride = entry.shape.elements / max(entry.shape.dimensions.first ?? 1, 1)
    let partsStandAlone =
      entry.parts.count > 1
      && (extents.contains(.whole) || stride % codec.alignment(columns: entry.shape.columns) != 0)
    guard extents.contains(.variable) || partsStandAlone else { return alignedRuns(covering: elements, of: tensor) }
    return entry.parts.flatMap { part in
      let start = part.range.lowerBound * stride
      let wanted = elements.clamped(to: start..<start + part.elements)
      guard !wanted.isEmpty else { return [Range<Int>]() }
      let spans = (wanted.lowerBound - start) / part.spanElements...(wanted.upperBound - 1 - start) / part.spanElements
      return spans.map { span in
        let first = start + span * part.spanElements
        return first..<first + part.elements(inSpan: span)
      }
    }
  }

  /// Appends the bytes of some of a span's elements to what is already in `planes`.
  private func copy(
    _ bytes: [[UInt8]], _ elements: Range<Int>, _ codec: any Codec, _ columns: Int,
    into planes: [UnsafeMutableRawBufferPointer], _ counts: inout [Int]
  ) {
    for (plane, extent) in codec.planes.map(\.extent).enumerated() {
      var range = 0..<bytes[plane].count
      if extent == .perSpan {
        let from = codec.bytes(plane: plane, elements: elements.lowerBound, columns: columns)
        range =
          from..<min(
            bytes[plane].count, from + codec.bytes(plane: plane, elements: elements.count, columns: columns))
      }
      let at = extent == .whole ? 0 : counts[plane]
      guard at + range.count <= planes[plane].count else { continue }
      bytes[plane][range].withUnsafeBytes {
        UnsafeMutableRawBufferPointer(rebasing: planes[plane][at..<at + range.count]).copyMemory(from: $0)
      }
      counts[plane] = at + range.count
    }
  }

  public func segments(of file: CheckpointFile) throws -> [SourceSegment] {
    guard let original = originals[ExactString(file.name)] else { return [] }
    var end = 0
    return try original.segments.map { segment in
      defer { end += segment.count }
      switch segment.source {
      case .blob: return .literal(end..<end + segment.count)
      case .zeros: return .zeros(segment.count)
      case .tensor(let name):
        guard let position = positions[ExactString(name)] else { throw UnrestorableFile(file: file.name, path: path) }
        return .tensor(position, segment.offset..<segment.offset + segment.count)
      case .layout(BigEndianGGUFCheckpoint.layout, let name):
        guard let position = positions[ExactString(name)] else { throw UnrestorableFile(file: file.name, path: path) }
        return .swapped(position, segment.offset..<segment.offset + segment.count)
      case .layout(let arrangement, let name):
        guard let position = positions[ExactString(name)] else { throw UnrestorableFile(file: file.name, path: path) }
        return .layout(arrangement, tensor: position, segment.offset..<segment.offset + segment.count)
      case .unknown: throw UnrestorableFile(file: file.name, path: path)
      }
    }
  }

  public func read(_ range: Range<Int>, of file: CheckpointFile) throws -> [UInt8] {
    var bytes: [UInt8] = []
    var end = 0
    for segment in originals[ExactString(file.name)]?.segments ?? [] {
      let wanted = range.clamped(to: end..<end + segment.count)
      let start = segment.offset + wanted.lowerBound - end
      end += segment.count
      if wanted.isEmpty { continue }
      switch segment.source {
      case .blob(let blob): try self.file.readBlob(blob, start..<start + wanted.count) { bytes += $0 }
      case .zeros: bytes += repeatElement(0, count: wanted.count)
      default: throw UnrestorableFile(file: file.name, path: path)
      }
    }
    return bytes
  }

  /// A file inside a `.bale` has no descriptor of its own.
  public func open(_ file: CheckpointFile) throws -> InputFile {
    throw IOError("open", path: Path.join(path, file.name), code: ENOENT)
  }

  public func sha256(of file: CheckpointFile) throws -> [UInt8]? { originals[ExactString(file.name)]?.sha256 }

  /// Reads of a `.bale` are checked against digests: a change shows as damage.
  public func checkUnchanged() throws {}
}

extension BaleSegment.Source {
  /// True if the bytes come from a tensor.
  fileprivate var isTensor: Bool {
    switch self {
    case .tensor, .layout: true
    case .blob, .zeros, .unknown: false
    }
  }
}

/// An original file whose bytes this version can't put together.
public struct UnrestorableFile: BadFileError, Equatable {
  public var file: String
  public var path: String

  public init(file: String, path: String) {
    self.file = file
    self.path = path
  }

  public var description: String { "\(path): '\(file)' is stored in a way that this version can't restore" }
}
