import ByteIO

/// A record whose chunks are arriving.
struct OpenRecord {
  let kind: RecordKind
  let layout: RecordLayout
  let parts: [PartDeclaration]
  /// Offset of the record in the file.
  let start: Int
  /// Where the next appended chunk goes.
  private(set) var end: Int
  private var rows: [ChunkRow?]
  private var sha256: [[UInt8]]
  /// Decoded bytes of each plane so far.
  private var lengths: [Int]
  /// Raw chunks of variable planes of an expert, held back so that each plane is one run of bytes.
  private var gathered: [Int: EncodedChunk] = [:]

  init(kind: RecordKind, layout: RecordLayout, parts: [PartDeclaration], start: Int) {
    self.kind = kind
    self.layout = layout
    self.parts = parts
    self.start = start
    end = start + layout.fixedLength
    rows = Array(repeating: nil, count: layout.chunkCount)
    sha256 = Array(repeating: [], count: layout.chunkCount)
    lengths = Array(repeating: 0, count: layout.planes.count)
  }

  /// Takes a chunk in. Gives the offset at which its bytes are to be written, nil if they are held back.
  mutating func place(_ chunk: EncodedChunk, part: Int) throws(BaleWriterError) -> Int? {
    guard layout.firstPlanes.indices.contains(part) else { throw .order("append") }
    let plane = layout.firstPlanes[part] + chunk.plane
    let end = part + 1 < layout.firstPlanes.count ? layout.firstPlanes[part + 1] : layout.planes.count
    guard plane < end else { throw .order("append") }
    let placed = layout.planes[plane]
    try check(chunk, against: placed.plane)
    let index = placed.firstChunk + chunk.index
    guard rows[index] == nil, gathered[index] == nil else {
      throw .chunkRepeated(plane: placed.plane.role, index: chunk.index)
    }
    lengths[plane] += chunk.decoded
    if let offset = placed.offset {
      return record(chunk, at: start + offset + chunk.index * placed.plane.chunkLength, index: index)
    }
    if case .expert = kind, !placed.plane.isCompressed {
      gathered[index] = chunk
      return nil
    }
    return append(chunk, index: index)
  }

  /// The chunks that were held back, with the offsets at which their bytes are to be written.
  mutating func placeGathered() -> [(chunk: EncodedChunk, offset: Int)] {
    let chunks = gathered.sorted { $0.key < $1.key }
    gathered = [:]
    return chunks.map { ($0.value, append($0.value, index: $0.key)) }
  }

  private func check(_ chunk: EncodedChunk, against plane: PlaneLayout) throws(BaleWriterError) {
    guard chunk.index >= 0, chunk.index < plane.chunkCount else {
      throw .chunkIndex(plane: plane.role, index: chunk.index)
    }
    let expected = plane.decodedLength(ofChunk: chunk.index)
    guard plane.extent == .variable ? chunk.decoded <= expected : chunk.decoded == expected,
      plane.isCompressed || chunk.stored == chunk.decoded,
      chunk.bytes.count == plane.extent(ofChunk: chunk.index, stored: chunk.stored)
    else {
      throw .chunkLength(plane: plane.role, index: chunk.index, expected: expected, found: chunk.decoded)
    }
  }

  private mutating func append(_ chunk: EncodedChunk, index: Int) -> Int {
    let offset = record(chunk, at: end, index: index)
    end += chunk.bytes.count
    return offset
  }

  private mutating func record(_ chunk: EncodedChunk, at offset: Int, index: Int) -> Int {
    rows[index] = ChunkRow(
      offset: UInt64(offset), stored: UInt32(chunk.stored), extent: UInt32(chunk.bytes.count),
      decoded: UInt32(chunk.decoded), digest: chunk.digest)
    sha256[index] = chunk.sha256 ?? []
    return offset
  }

  /// The finished rows. Throws `recordIncomplete` if a chunk is missing.
  func finish() throws(BaleWriterError) -> (rows: [ChunkRow], sha256: [[UInt8]], lengths: [Int]) {
    let complete = rows.compactMap { $0 }
    guard complete.count == rows.count, gathered.isEmpty else { throw .recordIncomplete }
    return (complete, sha256, lengths)
  }
}
