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
  private let originals: [ExactString: BaleOriginal]
  private let positions: [ExactString: Int]

  public var format: ContainerFormat { .bale }
  public var skipped: [String] { [] }

  /// Opens the file. Throws `BaleError`, `IOError`, or `CodecError` for an encoding that this version doesn't have.
  public init(_ path: String) throws {
    self.path = path
    let file = try BaleFile(path)
    self.file = file
    let stored = file.storedOrder.map { file.tensor(at: $0) }
    self.stored = stored
    tensors = try stored.map { tensor in
      let codec = try CodecRegistry.codec(tensor.encoding)
      try file.check(tensor, against: codec)
      return CheckpointTensor(
        name: tensor.name, shape: tensor.shape, codec: codec, sourceDType: tensor.dtype,
        storedBytes: tensor.storedBytes,
        error: tensor.error.map { StoredError(relativeMSE: $0.relativeMSE, maximumError: $0.maximum) })
    }
    positions = Dictionary(stored.enumerated().map { (ExactString($1.name), $0) }) { first, _ in first }
    let originals = file.originals
    self.originals = Dictionary(originals.map { (ExactString($0.name), $0) }) { first, _ in first }
    files = originals.map { original in
      CheckpointFile(
        name: original.name, size: original.size,
        holdsTensors: original.segments.contains {
          switch $0.source {
          case .tensor, .layout: true
          case .blob, .zeros, .unknown: false
          }
        })
    }
  }

  /// The files that make up the `.bale` itself.
  public var storage: [(path: String, size: Int)] { file.fileSizes }

  public var facts: [(key: String, value: String)] {
    guard let metadata = try? JSONValue(parsing: file.metadata).object else { return [] }
    return metadata.members.map { ($0.key, $0.value.string ?? String(decoding: $0.value.encoded(), as: UTF8.self)) }
      + [("root", file.roots.map { hexadecimal($0) }.joined(separator: ", "))]
  }

  public func read(
    _ tensor: Int, elements: Range<Int>, into planes: [UnsafeMutableRawBufferPointer]
  ) throws -> [Int] {
    let entry = stored[tensor]
    let codec = tensors[tensor].codec
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
        let bytes = try file.readSpan(span, of: part)
        copy(bytes, inSpan.lowerBound - first..<inSpan.upperBound - first, codec, part.columns, into: planes, &counts)
      }
    }
    return counts
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
      case .layout, .unknown: throw UnrestorableFile(file: file.name, path: path)
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
