import ByteIO
import Codecs

/// Checks of RECD, PLAN and CHNK.
extension DirectoryTables {
  /// Records are of a known kind, in the body, on their boundaries, and share out planes and chunks in order.
  func checkRecords() throws(BaleError) {
    var plane: UInt32 = 0
    var chunk: UInt32 = 0
    for row in records.indices {
      let record = records[row]
      guard let kind = RecordKind(record), isKnown(record, kind) else {
        throw fault(.recordKind(row: row), .records, row)
      }
      let alignment = UInt64(kind.alignment)
      guard record.offset >= UInt64(BaleConstants.headerLength), record.offset % alignment == 0,
        record.byteCount % alignment == 0, let end = record.offset.adding(record.byteCount),
        end <= UInt64(trailer.directoryOffset)
      else { throw fault(.recordRange(row: row), .records, row) }
      guard record.firstPlane == plane, let nextPlane = plane.adding(record.planeCount), nextPlane <= planes.count,
        record.firstChunk == chunk, let nextChunk = chunk.adding(record.chunkCount), nextChunk <= chunks.count
      else { throw fault(.recordRows(row: row), .records, row) }
      (plane, chunk) = (nextPlane, nextChunk)
    }
    guard plane == planes.count, chunk == chunks.count else {
      throw fault(.recordRows(row: records.count), .records, records.count)
    }
  }

  private func isKnown(_ record: RecordRow, _ kind: RecordKind) -> Bool {
    guard record.flags <= RecordRow.sharesChunks else { return false }
    if case .expert = kind {
      return record.flags == 0 && record.layer != BaleConstants.none && record.expert != BaleConstants.none
    }
    if kind == .void && record.planeCount != 0 { return false }
    return record.layer == BaleConstants.none && record.expert == BaleConstants.none
  }

  func checkChunkLengths() throws(BaleError) {
    let end = UInt64(trailer.directoryOffset)
    for row in chunks.indices {
      let chunk = chunks[row]
      guard chunk.stored <= chunk.extent, chunk.stored <= chunk.decoded, chunk.decoded <= BaleConstants.maximumChunk,
        chunk.extent <= BaleConstants.maximumExtent,
        UInt64(chunk.decoded) <= UInt64(chunk.stored) * UInt64(BaleConstants.maximumRatio),
        let last = chunk.offset.adding(UInt64(chunk.extent)), last <= end
      else { throw fault(.chunkLengths(row: row), .chunks, row) }
    }
  }

  /// Planes are of known kinds, belong to a part or a file record, and have chunks of their record that no other
  /// plane has.
  func checkPlanes() throws(BaleError) {
    var claimed = [Bool](repeating: false, count: chunks.count)
    for index in records.indices {
      let record = records[index]
      let first = Int(record.firstPlane)
      for row in first..<first + Int(record.planeCount) {
        try checkPlane(row, in: record, claimed: &claimed)
      }
    }
    for row in chunks.indices where !claimed[row] && chunks[row].stored > 0 {
      throw fault(.chunkUnclaimed(row: row), .chunks, row)
    }
  }

  private func checkPlane(_ row: Int, in record: RecordRow, claimed: inout [Bool]) throws(BaleError) {
    let plane = planes[row]
    guard PlaneRole(rawValue: plane.role) != nil, plane.compression <= 1, PlaneExtent(code: plane.extent) != nil else {
      throw fault(.planeKind(row: row), .planes, row)
    }
    let isBlob = plane.part == BaleConstants.none
    guard isBlob == (RecordKind(record) == .file), isBlob || plane.part < parts.count,
      !isBlob || plane.extent == PlaneExtent.whole.code
    else { throw fault(.planePart(row: row), .planes, row) }
    guard plane.firstChunk >= record.firstChunk, let end = plane.firstChunk.adding(plane.chunkCount),
      end <= record.firstChunk + record.chunkCount
    else { throw fault(.planeChunks(row: row), .planes, row) }
    var decoded: UInt64 = 0
    for index in Int(plane.firstChunk)..<Int(end) {
      guard !claimed[index] else { throw fault(.chunkUnclaimed(row: index), .chunks, index) }
      claimed[index] = true
      let chunk = chunks[index]
      guard plane.compression == 1 || chunk.stored == chunk.decoded else {
        throw fault(.chunkLengths(row: index), .chunks, index)
      }
      decoded += UInt64(chunk.decoded)
    }
    guard decoded == plane.decoded, hasWholePieces(plane), isPlaced(plane, in: record) else {
      throw fault(.planeChunks(row: row), .planes, row)
    }
  }

  /// A plane starts at a multiple of 128; a raw plane of an expert is one run of bytes, unless it is `variable`.
  private func isPlaced(_ plane: PlaneRow, in record: RecordRow) -> Bool {
    guard plane.chunkCount > 0 else { return true }
    let first = Int(plane.firstChunk)
    guard chunks[first].offset % UInt64(BaleConstants.planeAlignment) == 0 else { return false }
    guard plane.compression == 0, plane.extent != PlaneExtent.variable.code, case .expert = RecordKind(record) else {
      return true
    }
    return (first + 1..<first + Int(plane.chunkCount)).allSatisfy {
      chunks[$0].offset == chunks[$0 - 1].offset + UInt64(chunks[$0 - 1].stored)
    }
  }

  /// All chunks but the last of a `whole` plane decode to 1 MiB, so that any byte is found by arithmetic.
  private func hasWholePieces(_ plane: PlaneRow) -> Bool {
    guard plane.extent == PlaneExtent.whole.code, plane.chunkCount > 1 else { return true }
    let first = Int(plane.firstChunk)
    return (first..<first + Int(plane.chunkCount) - 1).allSatisfy { chunks[$0].decoded == BaleConstants.wholeChunk }
  }
}
