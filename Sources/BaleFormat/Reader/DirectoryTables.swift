import ByteIO

/// The tables of one directory while they are being checked, front to back, each in one pass.
struct DirectoryTables {
  let path: String
  let trailer: Trailer
  let sections: SectionMap
  let tensors: Table<TensorRow>
  let dimensions: Table<DimensionRow>
  let parts: Table<PartRow>
  let records: Table<RecordRow>
  let planes: Table<PlaneRow>
  let chunks: Table<ChunkRow>
  let encodings: Table<TextReference>
  let files: Table<FileRow>
  let segments: Table<SegmentRow>
  let shard: ShardRow?

  /// Checks every row against the others. Gives the tensors whose parts don't cover them, which a shard may have.
  /// Throws `BaleError`.
  func check() throws(BaleError) -> Set<Int> {
    try checkReserved()
    let heap = try TextCheck(sections.stringHeap, fault: fault(.text(table: "STRS", row: 0), .strings, 0))
    for row in encodings.indices where !heap.contains(encodings[row]) {
      throw fault(.text(table: "ENCD", row: row), .encodings, row)
    }
    try checkRecords()
    try checkChunkLengths()
    try checkPlanes()
    let partial = try checkTensors(heap)
    try checkParts()
    try ChunkTiling(tables: self).check()
    try checkFiles(heap)
    try checkShard()
    return partial
  }

  /// A fault at a row of a table.
  func fault(_ reason: BaleReason, _ tag: SectionTag, _ row: Int) -> BaleError {
    BaleError(
      reason, file: path, offset: trailer.directoryOffset + sections.range(tag).lowerBound + row * tag.rowLength)
  }

  private func checkReserved() throws(BaleError) {
    try checkReserved(tensors, .tensors)
    try checkReserved(records, .records)
    try checkReserved(planes, .planes)
    try checkReserved(chunks, .chunks)
    try checkReserved(segments, .segments)
  }

  private func checkReserved<Row>(_ table: Table<Row>, _ tag: SectionTag) throws(BaleError) {
    for row in table.indices where !table.hasZeroReserved(row) {
      throw fault(.reserved("a field of row \(row) of \(tag.rawValue)"), tag, row)
    }
  }

  private func checkShard() throws(BaleError) {
    guard let shard else { return }
    guard shard.number >= 1, shard.number <= shard.count, shard.count <= UInt32(BaleConstants.maximumShards) else {
      throw fault(.shardNumber(number: shard.number, count: shard.count), .shard, 0)
    }
  }
}

/// The string heap, known to be UTF-8 as a whole.
struct TextCheck {
  private let heap: UnsafeRawBufferPointer

  init(_ heap: UnsafeRawBufferPointer, fault: BaleError) throws(BaleError) {
    guard Self.isUTF8(heap) else { throw fault }
    self.heap = heap
  }

  private static func isUTF8(_ bytes: UnsafeRawBufferPointer) -> Bool {
    isASCII(bytes) || String(validating: bytes, as: UTF8.self) != nil
  }

  private static func isASCII(_ bytes: UnsafeRawBufferPointer) -> Bool {
    var high: UInt64 = 0
    let words = bytes.count / 8
    for word in 0..<words { high |= bytes.loadUnaligned(fromByteOffset: word * 8, as: UInt64.self) }
    for byte in bytes[(words * 8)...] { high |= UInt64(byte) }
    return high & 0x8080_8080_8080_8080 == 0
  }

  /// True if the reference lies in the heap and cuts no character in two.
  func contains(_ text: TextReference) -> Bool {
    let start = Int(text.offset)
    let end = start + Int(text.count)
    return end <= heap.count && isBoundary(start) && isBoundary(end)
  }

  private func isBoundary(_ offset: Int) -> Bool { offset == heap.count || heap[offset] & 0xC0 != 0x80 }
}
