import ByteIO

/// A row of a table of the directory: fixed length, little-endian.
protocol DirectoryRow: Equatable, Sendable {
  static var length: Int { get }
  /// Reads the row that starts at `row`, of which `length` bytes are readable.
  init(reading row: RowReader)
  /// True if the fields that this version reserves are zero.
  static func reservedIsZero(_ row: RowReader) -> Bool
  func append(to bytes: inout [UInt8])
}

extension DirectoryRow {
  static func reservedIsZero(_: RowReader) -> Bool { true }
}

/// Little-endian fields of one row.
struct RowReader {
  let base: UnsafeRawPointer

  @inline(__always) func u8(_ offset: Int) -> UInt8 { base.load(fromByteOffset: offset, as: UInt8.self) }

  @inline(__always) func integer<T: FixedWidthInteger>(_ offset: Int, as _: T.Type = T.self) -> T {
    T(littleEndian: base.loadUnaligned(fromByteOffset: offset, as: T.self))
  }

  func f64(_ offset: Int) -> Double { Double(bitPattern: integer(offset)) }

  func bytes(_ offset: Int, _ count: Int) -> [UInt8] {
    Array(UnsafeRawBufferPointer(start: base + offset, count: count))
  }
}

/// A piece of the string heap.
struct TextReference {
  static let length = 8
  var offset: UInt32
  var count: UInt32
}

extension TextReference: DirectoryRow {
  @inline(__always) init(reading row: RowReader) {
    offset = row.integer(0)
    count = row.integer(4)
  }

  func append(to bytes: inout [UInt8]) {
    bytes.append(littleEndian: offset)
    bytes.append(littleEndian: count)
  }
}
