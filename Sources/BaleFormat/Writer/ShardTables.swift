import ByteIO

/// The rows of one file's directory while it is being written. Parts are in the order of their records; `sorted`
/// puts them under their tensors.
struct ShardTables {
  struct PendingPart {
    var tensor: Int
    var row: PartRow
  }

  private(set) var records: [RecordRow] = []
  private(set) var planes: [PlaneRow] = []
  private(set) var chunks: [ChunkRow] = []
  private(set) var parts: [PendingPart] = []
  private(set) var sha256: [UInt8] = []

  /// Appends a record with its chunk rows and their SHA-256 digests (none where the file carries none).
  mutating func append(
    kind: RecordKind, layout: RecordLayout?, range: Range<Int>, parts declared: [PartDeclaration],
    chunks rows: [ChunkRow], lengths: [Int], sha256 digests: [[UInt8]]
  ) throws(BaleWriterError) {
    let record = UInt32(records.count)
    let firstPlane = planes.count
    let firstChunk = chunks.count
    guard chunks.count + rows.count < Int(UInt32.max), planes.count + lengths.count < Int(UInt32.max),
      parts.count + declared.count < Int(UInt32.max)
    else { throw .directoryTooLarge }
    for (index, placed) in (layout?.planes ?? []).enumerated() {
      let isBlob = declared.isEmpty
      planes.append(
        PlaneRow(
          role: placed.plane.role.rawValue, compression: placed.plane.isCompressed ? 1 : 0,
          extent: placed.plane.extent.code, part: isBlob ? BaleConstants.none : UInt32(parts.count + placed.part),
          firstChunk: UInt32(firstChunk + placed.firstChunk), chunkCount: UInt32(placed.plane.chunkCount),
          decoded: UInt64(lengths[index])))
    }
    for (index, part) in declared.enumerated() {
      parts.append(
        PendingPart(
          tensor: part.tensor.index,
          row: PartRow(
            record: record, tensor: 0, first: UInt64(part.range.lowerBound), count: UInt64(part.range.count),
            firstPlane: UInt32(firstPlane + (layout?.firstPlanes[index] ?? 0)),
            planeCount: UInt32(part.layout.planes.count), spanElements: UInt64(part.layout.spanElements))))
    }
    records.append(
      kind.row(range: range, planes: firstPlane..<planes.count, chunks: firstChunk..<firstChunk + rows.count))
    chunks += rows
    for digest in digests { sha256 += digest }
  }
}

extension RecordKind {
  /// The row of a record of this kind.
  fileprivate func row(range: Range<Int>, planes: Range<Int>, chunks: Range<Int>) -> RecordRow {
    var place = (layer: BaleConstants.none, expert: BaleConstants.none)
    if case .expert(let layer, let expert) = self { place = (UInt32(layer), UInt32(expert)) }
    return RecordRow(
      kind: code, flags: 0, layer: place.layer, expert: place.expert, offset: UInt64(range.lowerBound),
      byteCount: UInt64(range.count), firstPlane: UInt32(planes.lowerBound), planeCount: UInt32(planes.count),
      firstChunk: UInt32(chunks.lowerBound), chunkCount: UInt32(chunks.count))
  }
}
