import ByteIO

/// A tensor: section TENS, sorted by the bytes of the name.
struct TensorRow {
  static let length = 48
  static let lossless: UInt16 = 1
  static let measured: UInt16 = 2

  var name: TextReference
  var firstDimension: UInt32
  var rank: UInt8
  var dtype: UInt8
  var flags: UInt16
  var encoding: UInt32
  var firstPart: UInt32
  var partCount: UInt32
  var relativeMSE: Double
  var maximumError: Double
}

extension TensorRow: DirectoryRow {
  @inline(__always) init(reading row: RowReader) {
    name = TextReference(reading: row)
    firstDimension = row.integer(8)
    rank = row.u8(12)
    dtype = row.u8(13)
    flags = row.integer(14)
    encoding = row.integer(16)
    firstPart = row.integer(20)
    partCount = row.integer(24)
    relativeMSE = row.f64(32)
    maximumError = row.f64(40)
  }

  @inline(__always) static func reservedIsZero(_ row: RowReader) -> Bool { row.integer(28, as: UInt32.self) == 0 }

  func append(to bytes: inout [UInt8]) {
    name.append(to: &bytes)
    bytes.append(littleEndian: firstDimension)
    bytes.append(rank)
    bytes.append(dtype)
    bytes.append(littleEndian: flags)
    bytes.append(littleEndian: encoding)
    bytes.append(littleEndian: firstPart)
    bytes.append(littleEndian: partCount)
    bytes.append(littleEndian: UInt32(0))
    bytes.append(littleEndian: relativeMSE.bitPattern)
    bytes.append(littleEndian: maximumError.bitPattern)
  }
}

/// A part of a tensor, a range of its first dimension: section PART, a tensor's parts together and in order.
struct PartRow {
  static let length = 40

  var record: UInt32
  var tensor: UInt32
  var first: UInt64
  var count: UInt64
  var firstPlane: UInt32
  var planeCount: UInt32
  var spanElements: UInt64
}

extension PartRow: DirectoryRow {
  @inline(__always) init(reading row: RowReader) {
    record = row.integer(0)
    tensor = row.integer(4)
    first = row.integer(8)
    count = row.integer(16)
    firstPlane = row.integer(24)
    planeCount = row.integer(28)
    spanElements = row.integer(32)
  }

  func append(to bytes: inout [UInt8]) {
    bytes.append(littleEndian: record)
    bytes.append(littleEndian: tensor)
    bytes.append(littleEndian: first)
    bytes.append(littleEndian: count)
    bytes.append(littleEndian: firstPlane)
    bytes.append(littleEndian: planeCount)
    bytes.append(littleEndian: spanElements)
  }
}
