import ByteIO

/// A `.bale` file in memory whose directory is edited and then sealed again, so that all digests hold: what a faulty
/// or hostile writer could make. Offsets are those of specs/bale.md, on purpose not those of the reader.
struct Resealed {
  var bytes: [UInt8]

  init(_ bytes: [UInt8], seals: Bool = true, edit: (inout Resealed) throws -> Void) rethrows {
    self.bytes = bytes
    try edit(&self)
    if seals { seal() }
  }

  func u32(_ offset: Int) -> Int { (0..<4).reduce(0) { $0 | Int(bytes[offset + $1]) << (8 * $1) } }
  func u64(_ offset: Int) -> Int { u32(offset) | u32(offset + 4) << 32 }

  mutating func set<T: FixedWidthInteger>(_ value: T, at offset: Int) {
    withUnsafeBytes(of: value.littleEndian) { bytes.replaceSubrange(offset..<offset + $0.count, with: $0) }
  }

  var trailer: Int { bytes.count - 128 }
  var directory: Int { u64(trailer) }
  var directoryLength: Int { u64(trailer + 8) }
  var sectionCount: Int { u32(directory + 8) }

  /// Offset in the file of a section's row in the section table.
  func sectionRow(_ tag: String) -> Int {
    for index in 0..<sectionCount {
      let row = directory + 16 + 24 * index
      if Array(bytes[row..<row + 4]) == Array(tag.utf8) { return row }
    }
    return -1
  }

  /// Offset in the file of row `index` of a table.
  func row(_ tag: String, _ index: Int) -> Int {
    let lengths = [
      "TENS": 48, "DIMS": 8, "PART": 40, "RECD": 48, "PLAN": 24, "CHNK": 32, "ENCD": 8, "FILE": 56, "SEGM": 32,
      "SHRD": 24, "SHA2": 32, "STRS": 1, "META": 1,
    ]
    return directory + u64(sectionRow(tag) + 8) + index * (lengths[tag] ?? 0)
  }

  /// Rows of a table.
  func count(_ tag: String) -> Int { u64(sectionRow(tag) + 16) / (row(tag, 1) - row(tag, 0)) }

  func chunkRow(_ index: Int) -> (offset: Int, stored: Int, extent: Int) {
    let row = row("CHNK", index)
    return (u64(row), u32(row + 8), u32(row + 12))
  }

  mutating func setDigest(ofChunk index: Int) {
    let chunk = chunkRow(index)
    set(XXH3.digest64(Array(bytes[chunk.offset..<chunk.offset + chunk.extent])), at: row("CHNK", index) + 24)
  }

  /// Computes directory digest, root, and the digests of header and trailer.
  mutating func seal() {
    sealDirectory()
    set(XXH3.digest64(Array(bytes[..<120])), at: 120)
    set(XXH3.digest64(Array(bytes[trailer..<trailer + 120])), at: trailer + 120)
  }

  private mutating func sealDirectory() {
    guard directory >= 0, directoryLength >= 0, directory <= trailer, directoryLength <= trailer - directory else {
      return
    }
    let content = Array(bytes[directory..<directory + directoryLength])
    bytes.replaceSubrange(trailer + 16..<trailer + 32, with: content.withUnsafeBytes { XXH3.digest128($0) })
    bytes.replaceSubrange(trailer + 32..<trailer + 64, with: SHA256.digest(content))
  }
}
