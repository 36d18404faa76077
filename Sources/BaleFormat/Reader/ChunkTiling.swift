import ByteIO

/// Checks that every byte of the body lies in exactly one chunk: records follow one another without gap, and the
/// chunks of each fill it. A record or a chunk may also repeat an earlier one, row for row, to share its bytes.
struct ChunkTiling {
  let tables: DirectoryTables

  func check() throws(BaleError) {
    var end = UInt64(BaleConstants.headerLength)
    /// Records with bytes of their own, in file order.
    var owners: [Int] = []
    var borrowed: [Int] = []
    for row in tables.records.indices {
      let record = tables.records[row]
      if record.offset == end {
        try checkOwn(row, record, borrowed: &borrowed)
        end += record.byteCount
        if record.byteCount > 0 { owners.append(row) }
      } else {
        try checkTwin(row, record, owners)
      }
    }
    guard end == UInt64(tables.trailer.directoryOffset) else {
      throw tables.fault(.recordRange(row: tables.records.count), .records, tables.records.count)
    }
    try checkBorrowed(borrowed, owners)
  }

  private func chunkRange(_ record: RecordRow) -> Range<Int> {
    Int(record.firstChunk)..<Int(record.firstChunk) + Int(record.chunkCount)
  }

  /// The record's own chunks fill it; the others, where its flag allows them, lie before it.
  private func checkOwn(_ row: Int, _ record: RecordRow, borrowed: inout [Int]) throws(BaleError) {
    var end = record.offset
    var unordered: [Int] = []
    for index in chunkRange(record) {
      let chunk = tables.chunks[index]
      if chunk.offset == end && unordered.isEmpty {
        end += UInt64(chunk.extent)
      } else if chunk.offset < record.offset && record.flags & RecordRow.sharesChunks != 0 {
        borrowed.append(index)
      } else {
        unordered.append(index)
      }
    }
    for index in inFileOrder(unordered) {
      guard tables.chunks[index].offset == end else { throw tables.fault(.chunkTiling(row: index), .chunks, index) }
      end += UInt64(tables.chunks[index].extent)
    }
    guard end == record.offset + record.byteCount else {
      throw tables.fault(.recordRange(row: row), .records, row)
    }
  }

  /// Chunk rows by offset: those of compressed planes come in the order of their planes.
  private func inFileOrder(_ rows: [Int]) -> [Int] {
    guard rows.count > 1 else { return rows }
    let chunks = tables.chunks
    return rows.sorted { (chunks[$0].offset, chunks[$0].extent) < (chunks[$1].offset, chunks[$1].extent) }
  }

  /// The record has the range and the chunk rows of an earlier one.
  private func checkTwin(_ row: Int, _ record: RecordRow, _ owners: [Int]) throws(BaleError) {
    guard let owner = self.owner(of: record.offset, owners).map({ tables.records[$0] }),
      owner.offset == record.offset, owner.byteCount == record.byteCount, owner.chunkCount == record.chunkCount,
      record.flags == owner.flags,
      zip(chunkRange(owner), chunkRange(record)).allSatisfy({ tables.chunks[$0] == tables.chunks[$1] })
    else { throw tables.fault(.recordRange(row: row), .records, row) }
  }

  /// Each row repeats one whose bytes lie in the record that owns them.
  private func checkBorrowed(_ borrowed: [Int], _ owners: [Int]) throws(BaleError) {
    guard !borrowed.isEmpty else { return }
    var owned: [UInt64: Int] = [:]
    for owner in owners {
      let record = tables.records[owner]
      for index in chunkRange(record) where tables.chunks[index].extent > 0 {
        let offset = tables.chunks[index].offset
        if offset >= record.offset { owned[offset] = index }
      }
    }
    for index in borrowed {
      guard let original = owned[tables.chunks[index].offset], tables.chunks[original] == tables.chunks[index] else {
        throw tables.fault(.chunkTiling(row: index), .chunks, index)
      }
    }
  }

  /// The last owner that starts at or before `offset`.
  private func owner(of offset: UInt64, _ owners: [Int]) -> Int? {
    var low = 0
    var high = owners.count
    while low < high {
      let middle = (low + high) / 2
      if tables.records[owners[middle]].offset <= offset { low = middle + 1 } else { high = middle }
    }
    return low == 0 ? nil : owners[low - 1]
  }
}
