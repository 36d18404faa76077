import ByteIO
import Codecs

/// What is wrong with a `.bale` file: a row of the error table of specs/bale.md each. Numbers are rows of tables,
/// from 0, unless they say otherwise.
public enum BaleReason: FaultReason {
  // The frame.
  case tooShort(size: Int)
  case notBale
  case headerDamaged
  case version(UInt32)
  case reserved(String)
  case noTrailer
  case trailerDamaged
  case fileLength(stated: UInt64, actual: Int)
  case directoryRange(offset: UInt64, length: UInt64)
  case directoryDamaged
  // The directory's sections.
  case sectionTable
  case sectionUnknown(String)
  case sectionMissing(String)
  case sectionRepeated(String)
  case sectionLength(String, length: Int)
  // Its rows.
  case text(table: String, row: Int)
  case tensorOrder(row: Int)
  case tensorShape(row: Int)
  case tensorDType(row: Int)
  case tensorFlags(row: Int)
  case tensorEncoding(row: Int)
  case tensorError(row: Int)
  case tensorParts(row: Int)
  case partRecord(row: Int)
  case partPlanes(row: Int)
  case partSpans(row: Int)
  case recordKind(row: Int)
  case recordRows(row: Int)
  case recordRange(row: Int)
  case recordExpertRepeated(row: Int)
  case planeKind(row: Int)
  case planePart(row: Int)
  case planeChunks(row: Int)
  case chunkLengths(row: Int)
  case chunkUnclaimed(row: Int)
  case chunkTiling(row: Int)
  case fileName(row: Int)
  case fileSegments(row: Int)
  case segment(row: Int)
  // The set.
  case shardNumber(number: UInt32, count: UInt32)
  case shardName(number: Int, count: Int)
  case shardMissing(String)
  case shardMismatch(number: Int)
  // The content.
  case chunkDamaged(bytes: Int)
  case chunkSHA256(bytes: Int)
  case chunkFrame(String)
  case rootMismatch
  case encodingMismatch(plane: Int)

  public var description: String {
    switch self {
    case .tooShort(let size): "\(size) bytes are too few for a .bale file"
    case .notBale: "it doesn't start as a .bale file does"
    case .headerDamaged: "the header is damaged: its digest doesn't match"
    case .version(let version): "version \(version) of the format is not supported"
    case .reserved(let field): "\(field) should be zero in this version of the format"
    case .noTrailer: "it has no trailer at its end: the file is incomplete, cut or extended"
    case .trailerDamaged: "the trailer is damaged: its digest doesn't match"
    case .fileLength(let stated, let actual): "the trailer says \(stated) bytes, the file has \(actual)"
    case .directoryRange(let offset, let length):
      "the directory of \(length) bytes at byte \(offset) doesn't end where the trailer starts"
    case .directoryDamaged: "the directory is damaged: its digest doesn't match"
    case .sectionTable: "the table of sections is malformed"
    case .sectionUnknown(let name): "the required section '\(name)' is unknown: a newer version of the program wrote it"
    case .sectionMissing(let name): "the section '\(name)' is missing"
    case .sectionRepeated(let name): "the section '\(name)' is there twice"
    case .sectionLength(let name, let length): "the section '\(name)' of \(length) bytes has the wrong length"
    case .text(let table, let row): "the text of row \(row) of \(table) is not UTF-8 in the string heap"
    default: rowDescription
    }
  }

  private var rowDescription: String {
    switch self {
    case .tensorOrder(let row): "the names of tensor rows \(row - 1) and \(row) are not in ascending order"
    case .tensorShape(let row): "the shape of tensor row \(row) is outside DIMS or has too many elements"
    case .tensorDType(let row): "the dtype of tensor row \(row) is unknown"
    case .tensorFlags(let row): "tensor row \(row) has flags that this version doesn't define"
    case .tensorEncoding(let row): "tensor row \(row) names an encoding that is not there"
    case .tensorError(let row): "the error statistics of tensor row \(row) are not plain numbers, or not zero"
    case .tensorParts(let row): "the parts of tensor row \(row) don't cover it exactly once"
    case .partRecord(let row): "part row \(row) names a record or a tensor that isn't its own"
    case .partPlanes(let row): "the planes of part row \(row) are not planes of its record that name it"
    case .partSpans(let row): "part row \(row) has an impossible span or range"
    case .recordKind(let row): "record row \(row) has an unknown kind or flag"
    case .recordRows(let row): "the planes or chunks of record row \(row) don't follow those of the row before"
    case .recordRange(let row): "record row \(row) lies outside the body, off its boundary, or over another record"
    case .recordExpertRepeated(let row): "record row \(row) holds an expert that another record holds"
    case .planeKind(let row): "plane row \(row) has an unknown role, compression or extent"
    case .planePart(let row): "plane row \(row) belongs to no part, or to one that doesn't name it"
    case .planeChunks(let row): "the chunks of plane row \(row) are not those that its length and spans ask for"
    case .chunkLengths(let row): "the lengths of chunk row \(row) contradict each other or exceed the limits"
    case .chunkUnclaimed(let row): "chunk row \(row) holds bytes that no plane, or more than one, claims"
    case .chunkTiling(let row): "chunk row \(row) leaves a gap in its record or overlaps another chunk"
    case .fileName(let row): "file row \(row) has a name that leaves its directory, or that another file has"
    case .fileSegments(let row): "the segments of file row \(row) don't add up to its size"
    case .segment(let row): "segment row \(row) names bytes that are not there"
    default: contentDescription
    }
  }

  private var contentDescription: String {
    switch self {
    case .shardNumber(let number, let count): "it is shard \(number) of \(count), which can't be"
    case .shardName(let number, let count): "shard \(number) of \(count) should have that in its name"
    case .shardMissing(let path): "the shard '\(path)' of the set is missing"
    case .shardMismatch(let number): "shard \(number) belongs to another set, or contradicts the others"
    case .chunkDamaged(let bytes): "\(bytes) bytes are damaged: their digest doesn't match"
    case .chunkSHA256(let bytes): "\(bytes) bytes are not what was written: their SHA-256 doesn't match"
    case .chunkFrame(let reason): "a zstd frame can't be decoded: \(reason)"
    case .rootMismatch: "the root in the trailer is not the SHA-256 of the directory"
    case .encodingMismatch(let plane): "plane \(plane) is not what the encoding has for this shape"
    default: "it is malformed"
    }
  }
}

/// An error about the content of a `.bale` file.
public typealias BaleError = Fault<BaleReason>
