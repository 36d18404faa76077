import ByteIO
import Codecs

extension BaleFile {
  /// The decoded bytes of one chunk of a plane of a part: a span of it, or a piece of 1 MiB of a `whole` plane.
  /// The digest is checked before the bytes are used. Throws `BaleError`, or `IOError` from the source.
  public func readChunk(_ index: Int, plane: Int, of part: BalePart) throws -> [UInt8] {
    let plane = part.planes[plane]
    return try ChunkReader(shards[part.record.shard])
      .read(plane.chunks.lowerBound + index, isCompressed: plane.isCompressed, tensor: part.tensorName)
  }

  /// The same into `target`, which has as many bytes as the chunk when decoded.
  public func readChunk(
    _ index: Int, plane: Int, of part: BalePart, into target: UnsafeMutableRawBufferPointer
  ) throws {
    let plane = part.planes[plane]
    try ChunkReader(shards[part.record.shard]).read(
      plane.chunks.lowerBound + index, isCompressed: plane.isCompressed, tensor: part.tensorName, into: target)
  }

  /// Bytes of a chunk of a plane of a part when decoded.
  public func decodedLength(ofChunk index: Int, plane: Int, of part: BalePart) -> Int {
    Int(shards[part.record.shard].directory.chunks[part.planes[plane].chunks.lowerBound + index].decoded)
  }

  /// All decoded bytes of a plane of a part. Meant for `whole` planes: the memory is that of the plane.
  public func readPlane(_ plane: Int, of part: BalePart) throws -> [UInt8] {
    var bytes: [UInt8] = []
    for index in 0..<part.planes[plane].chunkCount { bytes += try readChunk(index, plane: plane, of: part) }
    return bytes
  }

  /// The bytes of span `index` in every plane: what a codec's `EncodedSpan` takes.
  /// - Parameter wholePlanes: bytes of the `whole` planes from `readWholePlanes`, so that a loop over spans reads
  ///   them once; nil reads them here.
  public func readSpan(_ index: Int, of part: BalePart, wholePlanes: [[UInt8]]? = nil) throws -> [[UInt8]] {
    let wholes = try wholePlanes ?? readWholePlanes(of: part)
    return try part.planes.indices.map { plane in
      part.planes[plane].extent == .whole ? wholes[plane] : try readChunk(index, plane: plane, of: part)
    }
  }

  /// The bytes of each `whole` plane of a part, and none for the others.
  public func readWholePlanes(of part: BalePart) throws -> [[UInt8]] {
    try part.planes.indices.map { part.planes[$0].extent == .whole ? try readPlane($0, of: part) : [] }
  }

  /// Checks that the planes of a tensor are those that its encoding has for its shape. Throws `BaleError`, or
  /// `CodecError` for an encoding that is unknown or can't hold the shape.
  public func check(_ tensor: BaleTensor, against codec: any Codec) throws {
    try codec.check(tensor.shape)
    for part in tensor.parts {
      let file = shards[part.record.shard].source.path
      guard part.planes.count == codec.planes.count else {
        throw BaleError(.encodingMismatch(plane: part.planes.count), file: file, tensor: tensor.name)
      }
      guard part.elements == 0 || part.spanCount == 1 || part.spanElements % codec.alignment(columns: part.columns) == 0
      else { throw BaleError(.encodingMismatch(plane: 0), file: file, tensor: tensor.name) }
      for (index, plane) in part.planes.enumerated() where !matches(plane, index, codec, part) {
        throw BaleError(.encodingMismatch(plane: index), file: file, tensor: tensor.name)
      }
    }
  }

  private func matches(_ plane: BalePlane, _ index: Int, _ codec: any Codec, _ part: BalePart) -> Bool {
    let expected = codec.planes[index]
    guard plane.role == expected.role, plane.extent == expected.extent else { return false }
    func bytes(_ elements: Int) -> Int { codec.bytes(plane: index, elements: elements, columns: part.columns) }
    let directory = shards[part.record.shard].directory
    switch plane.extent {
    case .whole: return plane.decodedLength == bytes(part.elements)
    case .perSpan, .variable:
      let full = bytes(min(part.spanElements, part.elements))
      for span in 0..<part.spanCount {
        let limit = span == part.spanCount - 1 ? bytes(part.elements(inSpan: span)) : full
        let length = Int(directory.chunks[plane.chunks.lowerBound + span].decoded)
        guard plane.extent == .perSpan ? length == limit : length <= limit else { return false }
      }
      return true
    }
  }

  /// Reads one record in one read, checks every chunk and decodes it from that buffer alone.
  public func readRecord(_ record: BaleRecord) throws -> RecordContent {
    let shard = shards[record.id.shard]
    let bytes = try shard.source.bytes(at: record.range.lowerBound, count: record.range.count)
    return try content(of: record, bytes: bytes)
  }

  /// The same from bytes that the caller read: exactly those of the record's range.
  public func content(of record: BaleRecord, bytes: [UInt8]) throws -> RecordContent {
    try RecordContent(record, bytes: bytes, shard: shards[record.id.shard])
  }
}
