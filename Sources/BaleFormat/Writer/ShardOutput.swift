import ByteIO

/// One file being written: its bytes and the rows of its directory. The directory itself is written at the end,
/// when the number of shards is known.
final class ShardOutput {
  let output: OutputFile
  /// End of the body so far.
  private(set) var position = BaleConstants.headerLength
  private(set) var tables = ShardTables()
  private(set) var size: DirectorySize
  private let hasSHA256: Bool
  /// Index among the shards.
  private let number: Int
  private var tensors: Set<Int> = []
  /// Records by a digest of their chunk rows, to find equal ones.
  private var byContent: [UInt64: [Int]] = [:]

  init(path: String, number: Int, options: BaleWriter.Options, metadata: Int) throws {
    self.number = number
    let size = options.shardSize == nil ? options.reserve : nil
    output =
      options.isKept
      ? try OutputFile(
        path, keptAs: Self.keptPath(of: path, number: number), size: size, overwrite: options.overwrite)
      : try OutputFile(path, size: size, overwrite: options.overwrite)
    hasSHA256 = options.sha256
    self.size = DirectorySize(hasSHA256: hasSHA256)
    self.size.addMetadata(metadata)
    if options.shardSize != nil { self.size.addShard() }
    try output.write(FileFrame.header(), at: 0)
  }

  /// Where a file that is kept lies until it is complete.
  static func keptPath(of path: String, number: Int) -> String { "\(path).partial" + (number == 0 ? "" : "-\(number)") }

  /// Bytes that the file would take if it ended here.
  var fileLength: Int { position + size.length + BaleConstants.trailerLength }

  /// Puts a void record before the next one where that needs it.
  func align(for kind: RecordKind) throws {
    let gap = (kind.alignment - position % kind.alignment) % kind.alignment
    guard gap > 0 else { return }
    let padding = try writePadding(gap, at: position)
    try append(
      .void, layout: nil, parts: [], rows: [padding.row], sha256: padding.sha256, lengths: [],
      at: position..<position + gap)
  }

  /// Counts an original file that this file's directory will list.
  func noteFile(name: String, segments: [WrittenSegment]) { size.addFile(name: name, segments: segments) }

  func write(_ chunk: EncodedChunk, at offset: Int) throws {
    if hasSHA256 && chunk.sha256 == nil { throw BaleWriterError.needsSHA256 }
    try chunk.bytes.withBytes { try output.write($0, at: offset) }
  }

  /// Ends a record: its rows enter the tables. A record equal to an earlier one shares its bytes.
  func end(_ record: consuming OpenRecord, tensors declarations: [TensorDeclaration]) throws -> WrittenRecord {
    for item in record.placeGathered() { try write(item.chunk, at: item.offset) }
    var (rows, sha256, lengths) = try record.finish()
    let end = (record.end + record.kind.alignment - 1) / record.kind.alignment * record.kind.alignment
    if end > record.end {
      let padding = try writePadding(end - record.end, at: record.end)
      rows.append(padding.row)
      sha256 += padding.sha256
    }
    let twin =
      end > record.start ? try twin(of: rows, from: record.start, alignment: record.kind.alignment) : nil
    let written = WrittenRecord(
      shard: number, range: twin?.range ?? record.start..<end, chunks: twin?.rows ?? rows,
      sha256: hasSHA256 ? sha256 : [], lengths: lengths)
    try add(written, kind: record.kind, layout: record.layout, parts: record.parts, tensors: declarations)
    return written
  }

  /// Enters a record whose bytes are in the file.
  func add(
    _ record: WrittenRecord, kind: RecordKind, layout: RecordLayout, parts: [PartDeclaration],
    tensors declarations: [TensorDeclaration]
  ) throws {
    for part in parts where tensors.insert(part.tensor.index).inserted {
      size.addTensor(declarations[part.tensor.index])
    }
    try append(
      kind, layout: layout, parts: parts, rows: record.chunks, sha256: record.sha256, lengths: record.lengths,
      at: record.range)
  }

  /// Appends a record: one that starts at `position`, or one that shares the bytes of an earlier one.
  private func append(
    _ kind: RecordKind, layout: RecordLayout?, parts: [PartDeclaration], rows: [ChunkRow], sha256: [[UInt8]],
    lengths: [Int], at range: Range<Int>
  ) throws {
    if range.lowerBound == position {
      byContent[Self.contentKey(rows, from: position), default: []].append(tables.records.count)
      position = range.upperBound
    }
    try tables.append(
      kind: kind, layout: layout, range: range, parts: parts, chunks: rows, lengths: lengths, sha256: sha256)
    size.addRecord(parts: parts.count, planes: lengths.count, chunks: rows.count)
  }

  private func writePadding(_ count: Int, at offset: Int) throws -> (row: ChunkRow, sha256: [[UInt8]]) {
    let zeros = [UInt8](repeating: 0, count: count)
    try output.write(zeros, at: offset)
    let row = ChunkRow(
      offset: UInt64(offset), stored: 0, extent: UInt32(count), decoded: 0, digest: XXH3.digest64(zeros))
    return (row, hasSHA256 ? [SHA256.digest(zeros)] : [])
  }

  // MARK: Equal records

  private static func contentKey(_ rows: [ChunkRow], from start: Int) -> UInt64 {
    var bytes: [UInt8] = []
    for row in relative(rows, from: start) { row.append(to: &bytes) }
    return XXH3.digest64(bytes)
  }

  private static func relative(_ rows: [ChunkRow], from start: Int) -> [ChunkRow] {
    rows.map { row in
      var row = row
      row.offset &-= UInt64(start)
      return row
    }
  }

  /// An earlier record with the same chunks, byte for byte.
  private func twin(
    of rows: [ChunkRow], from start: Int, alignment: Int
  ) throws -> (rows: [ChunkRow], range: Range<Int>)? {
    for index in byContent[Self.contentKey(rows, from: start)] ?? [] {
      let record = tables.records[index]
      let first = Int(record.offset)
      let chunks = tables.chunks[Int(record.firstChunk)..<Int(record.firstChunk + record.chunkCount)]
      guard first % alignment == 0, Self.relative(Array(chunks), from: first) == Self.relative(rows, from: start),
        try holdsSameBytes(first, start, count: Int(record.byteCount))
      else { continue }
      return (Array(chunks), first..<first + Int(record.byteCount))
    }
    return nil
  }

  private func holdsSameBytes(_ a: Int, _ b: Int, count: Int) throws -> Bool {
    let piece = min(count, 1 << 20)
    var left = [UInt8](repeating: 0, count: piece)
    var right = left
    for start in stride(from: 0, to: count, by: piece) {
      let size = min(piece, count - start)
      try left.withUnsafeMutableBytes { try output.read(at: a + start, into: .init(rebasing: $0[..<size])) }
      try right.withUnsafeMutableBytes { try output.read(at: b + start, into: .init(rebasing: $0[..<size])) }
      if left[..<size] != right[..<size] { return false }
    }
    return true
  }
}
