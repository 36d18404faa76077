import ByteIO

/// A record, a run of bytes that is read and copied as one: section RECD, in file order.
struct RecordRow {
  static let length = 48
  /// Some chunks lie in earlier records, because their bytes are equal.
  static let sharesChunks: UInt8 = 1

  var kind: UInt8
  var flags: UInt8
  var layer: UInt32
  var expert: UInt32
  var offset: UInt64
  var byteCount: UInt64
  var firstPlane: UInt32
  var planeCount: UInt32
  var firstChunk: UInt32
  var chunkCount: UInt32
}

extension RecordRow: DirectoryRow {
  @inline(__always) init(reading row: RowReader) {
    kind = row.u8(0)
    flags = row.u8(1)
    layer = row.integer(4)
    expert = row.integer(8)
    offset = row.integer(16)
    byteCount = row.integer(24)
    firstPlane = row.integer(32)
    planeCount = row.integer(36)
    firstChunk = row.integer(40)
    chunkCount = row.integer(44)
  }

  @inline(__always) static func reservedIsZero(_ row: RowReader) -> Bool {
    row.integer(2, as: UInt16.self) == 0 && row.integer(12, as: UInt32.self) == 0
  }

  func append(to bytes: inout [UInt8]) {
    bytes.append(kind)
    bytes.append(flags)
    bytes.append(littleEndian: UInt16(0))
    bytes.append(littleEndian: layer)
    bytes.append(littleEndian: expert)
    bytes.append(littleEndian: UInt32(0))
    bytes.append(littleEndian: offset)
    bytes.append(littleEndian: byteCount)
    bytes.append(littleEndian: firstPlane)
    bytes.append(littleEndian: planeCount)
    bytes.append(littleEndian: firstChunk)
    bytes.append(littleEndian: chunkCount)
  }
}

/// A plane of a part, or the bytes of a file blob: section PLAN, a record's planes together.
struct PlaneRow {
  static let length = 24

  var role: UInt8
  var compression: UInt8
  var extent: UInt8
  /// The part, or `BaleConstants.none` for a file blob.
  var part: UInt32
  var firstChunk: UInt32
  var chunkCount: UInt32
  var decoded: UInt64
}

extension PlaneRow: DirectoryRow {
  @inline(__always) init(reading row: RowReader) {
    role = row.u8(0)
    compression = row.u8(1)
    extent = row.u8(2)
    part = row.integer(4)
    firstChunk = row.integer(8)
    chunkCount = row.integer(12)
    decoded = row.integer(16)
  }

  @inline(__always) static func reservedIsZero(_ row: RowReader) -> Bool { row.u8(3) == 0 }

  func append(to bytes: inout [UInt8]) {
    bytes.append(role)
    bytes.append(compression)
    bytes.append(extent)
    bytes.append(0)
    bytes.append(littleEndian: part)
    bytes.append(littleEndian: firstChunk)
    bytes.append(littleEndian: chunkCount)
    bytes.append(littleEndian: decoded)
  }
}

/// A chunk, the unit of digests and of compression: section CHNK, a record's chunks together, a plane's in order.
struct ChunkRow {
  static let length = 32

  var offset: UInt64
  var stored: UInt32
  /// Stored bytes and the zeros after them.
  var extent: UInt32
  var decoded: UInt32
  var digest: UInt64
}

extension ChunkRow: DirectoryRow {
  @inline(__always) init(reading row: RowReader) {
    offset = row.integer(0)
    stored = row.integer(8)
    extent = row.integer(12)
    decoded = row.integer(16)
    digest = row.integer(24)
  }

  @inline(__always) static func reservedIsZero(_ row: RowReader) -> Bool { row.integer(20, as: UInt32.self) == 0 }

  func append(to bytes: inout [UInt8]) {
    bytes.append(littleEndian: offset)
    bytes.append(littleEndian: stored)
    bytes.append(littleEndian: extent)
    bytes.append(littleEndian: decoded)
    bytes.append(littleEndian: UInt32(0))
    bytes.append(littleEndian: digest)
  }
}
