import ByteIO

/// Checks of FILE and SEGM that need no other shard.
extension DirectoryTables {
  func checkFiles(_ heap: TextCheck) throws(BaleError) {
    var names: Set<[UInt8]> = []
    var segment: UInt32 = 0
    for row in files.indices {
      let file = files[row]
      guard heap.contains(file.name) else { throw fault(.text(table: "FILE", row: row), .files, row) }
      let name = String(decoding: sections.text(file.name), as: UTF8.self)
      guard Path.isContained(name), names.insert(Array(name.utf8)).inserted else {
        throw fault(.fileName(row: row), .files, row)
      }
      guard file.firstSegment == segment, let end = segment.adding(file.segmentCount), end <= segments.count,
        total(Int(segment)..<Int(end)) == file.size, file.size <= UInt64(Int.max)
      else { throw fault(.fileSegments(row: row), .files, row) }
      segment = end
    }
    guard segment == segments.count else { throw fault(.fileSegments(row: files.count), .files, files.count) }
    for row in segments.indices where !heap.contains(segments[row].layout) {
      throw fault(.text(table: "SEGM", row: row), .segments, row)
    }
  }

  private func total(_ rows: Range<Int>) -> UInt64? {
    var total: UInt64 = 0
    for row in rows {
      guard let next = total.adding(segments[row].count) else { return nil }
      total = next
    }
    return total
  }
}
