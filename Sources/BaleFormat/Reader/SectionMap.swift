import ByteIO

/// Where the sections of a directory are. Its pointer is into `storage`, which it keeps and nobody changes.
struct SectionMap: @unchecked Sendable {
  private let storage: DirectoryBytes
  private var ranges: [SectionTag: Range<Int>] = [:]
  /// The string heap, at hand for the many that look up a name.
  private(set) var stringHeap = UnsafeRawBufferPointer(start: nil, count: 0)

  /// Reads the section table. Throws `BaleError`.
  init(_ storage: DirectoryBytes, path: String, offset: Int) throws(BaleError) {
    self.storage = storage
    func fault(_ reason: BaleReason) -> BaleError { BaleError(reason, file: path, offset: offset) }
    let rows = try Self.rows(storage.bytes, fault)
    var end = DirectorySections.start(rows.count)
    for row in rows {
      let padded = row.count.roundedUp(to: UInt64(DirectorySections.alignment)) ?? UInt64.max
      guard row.flags <= 1, row.offset == UInt64(end), padded <= UInt64(storage.bytes.count - end) else {
        throw fault(.sectionTable)
      }
      let range = end..<end + Int(row.count)
      end += Int(padded)
      guard storage.bytes[range.upperBound..<end].allSatisfy({ $0 == 0 }) else {
        throw fault(.reserved("the padding of section '\(row.name)'"))
      }
      guard let tag = SectionTag(rawValue: row.name) else {
        if row.flags & 1 == 1 { throw fault(.sectionUnknown(row.name)) }
        continue
      }
      guard range.count % tag.rowLength == 0, range.count / tag.rowLength < Int(UInt32.max) || tag == .metadata else {
        throw fault(.sectionLength(row.name, length: range.count))
      }
      guard ranges.updateValue(range, forKey: tag) == nil else { throw fault(.sectionRepeated(row.name)) }
    }
    guard end == storage.bytes.count else { throw fault(.sectionTable) }
    try checkComplete(fault)
    stringHeap = storage.slice(range(.strings))
  }

  private func checkComplete(_ fault: (BaleReason) -> BaleError) throws(BaleError) {
    for tag in SectionTag.allCases where tag.isMandatory && ranges[tag] == nil {
      throw fault(.sectionMissing(tag.rawValue))
    }
    if let shard = ranges[.shard], shard.count != ShardRow.length {
      throw fault(.sectionLength(SectionTag.shard.rawValue, length: shard.count))
    }
    if let digests = ranges[.sha256], digests.count / 32 != range(.chunks).count / ChunkRow.length {
      throw fault(.sectionLength(SectionTag.sha256.rawValue, length: digests.count))
    }
  }

  private struct Row {
    var name: String
    var flags: UInt32
    var offset: UInt64
    var count: UInt64
  }

  private static func rows(
    _ bytes: UnsafeRawBufferPointer, _ fault: (BaleReason) -> BaleError
  ) throws(BaleError) -> [Row] {
    guard bytes.count >= DirectorySections.headerLength, let base = bytes.baseAddress,
      bytes[..<8].elementsEqual(BaleConstants.directoryMagic)
    else { throw fault(.sectionTable) }
    let header = RowReader(base: base)
    let count = Int(header.integer(8, as: UInt32.self))
    guard header.integer(12, as: UInt32.self) == 0, count <= BaleConstants.maximumSections,
      DirectorySections.start(count) <= bytes.count
    else { throw fault(.sectionTable) }
    let end = DirectorySections.headerLength + count * DirectorySections.rowLength
    guard bytes[end..<DirectorySections.start(count)].allSatisfy({ $0 == 0 }) else { throw fault(.sectionTable) }
    return (0..<count).map { index in
      let row = RowReader(base: base + DirectorySections.headerLength + index * DirectorySections.rowLength)
      return Row(
        name: String(decoding: row.bytes(0, 4), as: UTF8.self), flags: row.integer(4), offset: row.integer(8),
        count: row.integer(16))
    }
  }

  /// The range of a section in the directory; empty where it is absent.
  func range(_ tag: SectionTag) -> Range<Int> { ranges[tag] ?? 0..<0 }

  func table<Row: DirectoryRow>(_ tag: SectionTag) -> Table<Row> {
    let range = range(tag)
    return Table(storage, offset: range.lowerBound, count: range.count / Row.length)
  }

  /// Bytes of the string heap. The reference must have been checked.
  func text(_ reference: TextReference) -> UnsafeRawBufferPointer {
    let start = Int(reference.offset)
    return UnsafeRawBufferPointer(rebasing: stringHeap[start..<start + Int(reference.count)])
  }
}
