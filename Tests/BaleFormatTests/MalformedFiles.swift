import BaleFormat
import ByteIO
import Testing

/// A file that must be refused: how a well-formed one is spoilt, and what the reader must say.
/// Kept in samples/bad/bale as NAME.bale; specs/bale.md has a row for each reason.
struct MalformedFile: Sendable, CustomTestStringConvertible {
  var name: String
  var reason: BaleReason
  /// Made from the sample with experts.
  var withExperts = false
  /// Made from the first file of the set of three.
  var inSet = false
  /// All digests hold.
  var isSealed = true
  var edit: @Sendable (inout Resealed) -> Void

  init(
    _ name: String, _ reason: BaleReason, withExperts: Bool = false, inSet: Bool = false,
    isSealed: Bool = true,
    _ edit: @escaping @Sendable (inout Resealed) -> Void
  ) {
    self.name = name
    self.reason = reason
    self.withExperts = withExperts
    self.inSet = inSet
    self.isSealed = isSealed
    self.edit = edit
  }

  func bytes() throws -> [UInt8] {
    let bytes = inSet ? try SampleFile.setBytes()[0] : try SampleFile.bytes(withExperts: withExperts)
    return Resealed(bytes, seals: isSealed, edit: edit).bytes
  }

  var testDescription: String { name }

  /// Rows of the sample: tensors by name are embed, empty, größe, norm, packed, sparse; records are norm, embed,
  /// größe, empty, packed, sparse, the blob.
  static let all: [MalformedFile] = damage + frame + sections + tensors + parts + records + planes + chunks + files

  static let damage = [
    MalformedFile("short", .tooShort(size: 255), isSealed: false) { $0.bytes.removeLast($0.bytes.count - 255) },
    MalformedFile("text-mode", .notBale, isSealed: false) { $0.bytes.remove(at: 5) },
    MalformedFile("header-damaged", .headerDamaged, isSealed: false) { $0.bytes[8] ^= 2 },
    MalformedFile("cut", .noTrailer, isSealed: false) { $0.bytes.removeLast() },
    MalformedFile("trailer-damaged", .trailerDamaged, isSealed: false) { $0.bytes[$0.trailer + 3] ^= 1 },
    MalformedFile("directory-damaged", .directoryDamaged, isSealed: false) { $0.bytes[$0.directory + 99] ^= 1 },
  ]

  static let frame = [
    MalformedFile("header-version", .version(2)) { $0.set(UInt32(2), at: 8) },
    MalformedFile("header-reserved", .reserved("the rest of the header")) { $0.set(UInt8(1), at: 40) },
    MalformedFile("trailer-version", .version(7)) { $0.set(UInt32(7), at: $0.trailer + 72) },
    MalformedFile("trailer-reserved", .reserved("the rest of the trailer")) { $0.set(UInt8(1), at: $0.trailer + 80) },
    MalformedFile("file-length", .fileLength(stated: 1 << 40, actual: 6336)) {
      $0.set(UInt64(1 << 40), at: $0.trailer + 64)
    },
    MalformedFile("directory-range", .directoryRange(offset: .max - 127, length: 256)) {
      $0.set(UInt64.max - 127, at: $0.trailer)
      $0.set(UInt64(256), at: $0.trailer + 8)
    },
  ]

  static let sections = [
    MalformedFile("section-magic", .sectionTable) { $0.bytes[$0.directory] = 0 },
    MalformedFile("section-count", .sectionTable) { $0.set(UInt32.max, at: $0.directory + 8) },
    MalformedFile("section-offset", .sectionTable) { $0.set(UInt64(16), at: $0.sectionRow("TENS") + 8) },
    MalformedFile("section-end", .sectionTable) { $0.set(UInt64.max - 3, at: $0.sectionRow("SEGM") + 16) },
    MalformedFile("section-unknown", .sectionUnknown("ZZZZ")) {
      $0.bytes.replaceSubrange($0.sectionRow("META")..<$0.sectionRow("META") + 4, with: Array("ZZZZ".utf8))
    },
    MalformedFile("section-missing", .sectionMissing("META")) {
      let row = $0.sectionRow("META")
      $0.bytes.replaceSubrange(row..<row + 4, with: Array("ZZZZ".utf8))
      $0.set(UInt32(0), at: row + 4)
    },
    MalformedFile("section-repeated", .sectionRepeated("STRS")) {
      let row = $0.sectionRow("META")
      $0.bytes.replaceSubrange(row..<row + 4, with: Array("STRS".utf8))
    },
    MalformedFile("section-length", .sectionLength("DIMS", length: 71)) {
      $0.set(UInt64(71), at: $0.sectionRow("DIMS") + 16)
    },
    MalformedFile("section-padding", .reserved("the padding of section 'META'")) {
      $0.bytes[$0.row("META", 0) + 5] = 1
    },
  ]

  static let tensors = [
    MalformedFile("text-not-utf8", .text(table: "STRS", row: 0)) { $0.bytes[$0.row("STRS", 0)] = 0xFF },
    MalformedFile("text-outside", .text(table: "TENS", row: 1)) { $0.set(UInt32.max, at: $0.row("TENS", 1) + 4) },
    MalformedFile("text-cut-character", .text(table: "TENS", row: 2)) {
      $0.set(UInt32(3), at: $0.row("TENS", 2) + 4)
    },
    MalformedFile("encoding-outside", .text(table: "ENCD", row: 0)) { $0.set(UInt32.max, at: $0.row("ENCD", 0)) },
    MalformedFile("tensor-order", .tensorOrder(row: 1)) {
      $0.set(UInt32($0.u32($0.row("TENS", 0))), at: $0.row("TENS", 1))
    },
    MalformedFile("tensor-shape-overflow", .tensorShape(row: 0)) { $0.set(UInt64(1 << 62), at: $0.row("DIMS", 0)) },
    MalformedFile("tensor-shape-rank", .tensorShape(row: 5)) { $0.set(UInt8(200), at: $0.row("TENS", 5) + 12) },
    MalformedFile("tensor-dtype", .tensorDType(row: 0)) { $0.set(UInt8(23), at: $0.row("TENS", 0) + 13) },
    MalformedFile("tensor-flags", .tensorFlags(row: 0)) { $0.set(UInt16(4), at: $0.row("TENS", 0) + 14) },
    MalformedFile("tensor-reserved", .reserved("a field of row 0 of TENS")) {
      $0.set(UInt32(1), at: $0.row("TENS", 0) + 28)
    },
    MalformedFile("tensor-encoding", .tensorEncoding(row: 3)) { $0.set(UInt32(6), at: $0.row("TENS", 3) + 16) },
    MalformedFile("tensor-error-nan", .tensorError(row: 5)) {
      $0.set(Double.nan.bitPattern, at: $0.row("TENS", 5) + 32)
    },
    MalformedFile("tensor-error-unmeasured", .tensorError(row: 0)) {
      $0.set((0.5).bitPattern, at: $0.row("TENS", 0) + 40)
    },
    MalformedFile("tensor-parts-none", .tensorParts(row: 0)) { $0.set(UInt32(0), at: $0.row("TENS", 0) + 24) },
    MalformedFile("tensor-parts-short", .tensorParts(row: 0)) { $0.set(UInt64(4), at: $0.row("PART", 0) + 16) },
    MalformedFile("tensor-parts-outside", .tensorParts(row: 0)) {
      $0.set(UInt64.max, at: $0.row("PART", 0) + 16)
    },
  ]

  static let parts = [
    MalformedFile("part-tensor", .partRecord(row: 1)) { $0.set(UInt32(0), at: $0.row("PART", 1) + 4) },
    MalformedFile("part-record", .partRecord(row: 0)) { $0.set(UInt32(7), at: $0.row("PART", 0)) },
    MalformedFile("part-planes-other", .partPlanes(row: 0)) { $0.set(UInt32(0), at: $0.row("PART", 0) + 24) },
    MalformedFile("part-planes-many", .partPlanes(row: 0)) { $0.set(UInt32.max, at: $0.row("PART", 0) + 28) },
    MalformedFile("part-span-zero", .partSpans(row: 0)) { $0.set(UInt64(0), at: $0.row("PART", 0) + 32) },
    MalformedFile("part-span-count", .planeChunks(row: 1)) { $0.set(UInt64(8), at: $0.row("PART", 0) + 32) },
    MalformedFile("part-plane-missing", .planePart(row: 8)) { $0.set(UInt32(3), at: $0.row("PART", 5) + 28) },
  ]

  static let records = [
    MalformedFile("record-kind", .recordKind(row: 0)) { $0.set(UInt8(5), at: $0.row("RECD", 0)) },
    MalformedFile("record-flags", .recordKind(row: 0)) { $0.set(UInt8(2), at: $0.row("RECD", 0) + 1) },
    MalformedFile("record-layer", .recordKind(row: 0)) { $0.set(UInt32(0), at: $0.row("RECD", 0) + 4) },
    MalformedFile("record-reserved", .reserved("a field of row 0 of RECD")) {
      $0.set(UInt32(1), at: $0.row("RECD", 0) + 12)
    },
    MalformedFile("record-planes", .recordRows(row: 0)) { $0.set(UInt32(99), at: $0.row("RECD", 0) + 36) },
    MalformedFile("record-chunks", .recordRows(row: 1)) { $0.set(UInt32(0), at: $0.row("RECD", 1) + 40) },
    MalformedFile("record-unaligned", .recordRange(row: 1)) { $0.set(UInt64(257), at: $0.row("RECD", 1) + 16) },
    MalformedFile("record-outside", .recordRange(row: 1)) { $0.set(UInt64.max - 127, at: $0.row("RECD", 1) + 24) },
    MalformedFile("record-overlap", .recordRange(row: 1)) { $0.set(UInt64(128), at: $0.row("RECD", 1) + 16) },
    MalformedFile("record-expert-repeated", .recordExpertRepeated(row: 9), withExperts: true) {
      $0.set(UInt32(0), at: $0.row("RECD", 9) + 8)
    },
    MalformedFile("record-expert-unaligned", .recordRange(row: 1)) {
      let row = $0.row("RECD", 1)
      $0.set(UInt8(1), at: row)
      $0.set(UInt64(0), at: row + 4)
    },
  ]

  static let planes = [
    MalformedFile("plane-role", .planeKind(row: 0)) { $0.set(UInt8(200), at: $0.row("PLAN", 0)) },
    MalformedFile("plane-compression", .planeKind(row: 0)) { $0.set(UInt8(2), at: $0.row("PLAN", 0) + 1) },
    MalformedFile("plane-extent", .planeKind(row: 0)) { $0.set(UInt8(3), at: $0.row("PLAN", 0) + 2) },
    MalformedFile("plane-reserved", .reserved("a field of row 0 of PLAN")) {
      $0.set(UInt8(1), at: $0.row("PLAN", 0) + 3)
    },
    MalformedFile("plane-part", .planePart(row: 0)) { $0.set(UInt32(6), at: $0.row("PLAN", 0) + 4) },
    MalformedFile("plane-part-none", .planePart(row: 0)) { $0.set(UInt32.max, at: $0.row("PLAN", 0) + 4) },
    MalformedFile("plane-chunks", .planeChunks(row: 0)) { $0.set(UInt32(2), at: $0.row("PLAN", 0) + 12) },
    MalformedFile("plane-length", .planeChunks(row: 0)) { $0.set(UInt64(33), at: $0.row("PLAN", 0) + 16) },
  ]

  static let chunks = [
    MalformedFile("chunk-extent", .chunkLengths(row: 0)) { $0.set(UInt32(31), at: $0.row("CHNK", 0) + 12) },
    MalformedFile("chunk-outside", .chunkLengths(row: 0)) { $0.set(UInt64.max - 60, at: $0.row("CHNK", 0)) },
    MalformedFile("chunk-bomb", .chunkLengths(row: 3)) { $0.set(UInt32(1 << 26 + 1), at: $0.row("CHNK", 3) + 16) },
    MalformedFile("chunk-raw-length", .chunkLengths(row: 0)) { $0.set(UInt32(33), at: $0.row("CHNK", 0) + 16) },
    MalformedFile("chunk-reserved", .reserved("a field of row 0 of CHNK")) {
      $0.set(UInt32(1), at: $0.row("CHNK", 0) + 20)
    },
    MalformedFile("chunk-unclaimed", .chunkUnclaimed(row: 5)) {
      // The last of the chunks of `packed` leaves its plane, which gets a span less.
      let plane = $0.row("PLAN", 4)
      let chunk = $0.row("CHNK", 5)
      $0.set(UInt32(2), at: plane + 12)
      $0.set(UInt64($0.u64(plane + 16) - $0.u32(chunk + 16)), at: plane + 16)
    },
    MalformedFile("chunk-overlap", .chunkTiling(row: 4)) {
      $0.set(UInt64($0.chunkRow(3).offset), at: $0.row("CHNK", 4))
    },
    MalformedFile("chunk-gap", .recordRange(row: 0)) { $0.set(UInt32(64), at: $0.row("CHNK", 0) + 12) },
  ]

  static let files = [
    MalformedFile("shard-number", .shardNumber(number: 4, count: 3), inSet: true) {
      $0.set(UInt32(4), at: $0.row("SHRD", 0) + 16)
    },
    MalformedFile("file-name", .fileName(row: 0)) {
      // "config/a.json" becomes "../fig/a.json".
      let start = $0.row("STRS", $0.u32($0.row("FILE", 0)))
      $0.bytes.replaceSubrange(start..<start + 6, with: Array("../fig".utf8))
    },
    MalformedFile("file-name-repeated", .fileName(row: 1)) {
      $0.set(UInt64($0.u64($0.row("FILE", 0))), at: $0.row("FILE", 1))
    },
    MalformedFile("file-size", .fileSegments(row: 0)) { $0.set(UInt64(104), at: $0.row("FILE", 0) + 8) },
    MalformedFile("file-segments", .fileSegments(row: 1)) { $0.set(UInt32(9), at: $0.row("FILE", 1) + 52) },
    MalformedFile("segment-blob", .segment(row: 0)) { $0.set(UInt32(0), at: $0.row("SEGM", 0) + 4) },
    MalformedFile("segment-range", .segment(row: 0)) { $0.set(UInt64(299), at: $0.row("SEGM", 0) + 8) },
    MalformedFile("segment-tensor", .segment(row: 3)) { $0.set(UInt32(6), at: $0.row("SEGM", 3) + 4) },
    MalformedFile("segment-tensor-range", .segment(row: 3)) { $0.set(UInt64(1), at: $0.row("SEGM", 3) + 8) },
    MalformedFile("segment-shard", .segment(row: 2)) { $0.set(UInt16(1), at: $0.row("SEGM", 2) + 2) },
  ]
}
