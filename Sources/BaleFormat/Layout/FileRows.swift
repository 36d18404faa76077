import ByteIO

/// An original file: section FILE, in the order in which the writer was given them.
struct FileRow {
  static let length = 56

  var name: TextReference
  var size: UInt64
  var sha256: [UInt8]
  var firstSegment: UInt32
  var segmentCount: UInt32
}

extension FileRow: DirectoryRow {
  init(reading row: RowReader) {
    name = TextReference(reading: row)
    size = row.integer(8)
    sha256 = row.bytes(16, 32)
    firstSegment = row.integer(48)
    segmentCount = row.integer(52)
  }

  func append(to bytes: inout [UInt8]) {
    name.append(to: &bytes)
    bytes.append(littleEndian: size)
    bytes.append(contentsOf: sha256)
    bytes.append(littleEndian: firstSegment)
    bytes.append(littleEndian: segmentCount)
  }
}

/// A run of bytes of an original file: section SEGM, a file's segments together and in order.
struct SegmentRow {
  static let length = 32

  /// What the bytes come from.
  enum Kind: UInt8 {
    case blob = 0
    case tensor = 1
    case zeros = 2
    case layout = 3
  }

  var kind: UInt8
  /// The shard, from 1, whose rows `index` counts; 0 in a file that is no shard.
  var shard: UInt16
  var index: UInt32
  var offset: UInt64
  var count: UInt64
  var layout: TextReference
}

extension SegmentRow: DirectoryRow {
  init(reading row: RowReader) {
    kind = row.u8(0)
    shard = row.integer(2)
    index = row.integer(4)
    offset = row.integer(8)
    count = row.integer(16)
    layout = TextReference(reading: RowReader(base: row.base + 24))
  }

  @inline(__always) static func reservedIsZero(_ row: RowReader) -> Bool { row.u8(1) == 0 }

  func append(to bytes: inout [UInt8]) {
    bytes.append(kind)
    bytes.append(0)
    bytes.append(littleEndian: shard)
    bytes.append(littleEndian: index)
    bytes.append(littleEndian: offset)
    bytes.append(littleEndian: count)
    layout.append(to: &bytes)
  }
}

/// The place of a file in a set of shards: section SHRD, one row.
struct ShardRow {
  static let length = 24

  /// The same 16 bytes in every shard of a set.
  var set: [UInt8]
  /// From 1.
  var number: UInt32
  var count: UInt32
}

extension ShardRow: DirectoryRow {
  init(reading row: RowReader) {
    set = row.bytes(0, 16)
    number = row.integer(16)
    count = row.integer(20)
  }

  func append(to bytes: inout [UInt8]) {
    bytes.append(contentsOf: set)
    bytes.append(littleEndian: number)
    bytes.append(littleEndian: count)
  }
}
