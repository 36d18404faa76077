import ByteIO

/// The bytes of a directory, read once and never changed.
final class DirectoryBytes: @unchecked Sendable {
  let bytes: UnsafeRawBufferPointer
  private let storage: UnsafeMutableRawBufferPointer

  /// Allocates `count` bytes and lets `fill` write them.
  init(count: Int, fill: (UnsafeMutableRawBufferPointer) throws -> Void) rethrows {
    storage = .allocate(byteCount: count, alignment: 16)
    bytes = UnsafeRawBufferPointer(storage)
    do { try fill(storage) } catch {
      storage.deallocate()
      throw error
    }
  }

  deinit { storage.deallocate() }

  func slice(_ range: Range<Int>) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: bytes[range]) }
}

/// The rows of a section, decoded one by one as they are asked for.
struct Table<Row: DirectoryRow>: RandomAccessCollection, Sendable {
  let storage: DirectoryBytes
  /// Offset of the first row in the directory.
  let offset: Int
  let count: Int

  var startIndex: Int { 0 }
  var endIndex: Int { count }

  subscript(index: Int) -> Row {
    precondition(index >= 0 && index < count)
    return Row(reading: reader(index))
  }

  subscript(index: UInt32) -> Row { self[Int(index)] }

  func hasZeroReserved(_ index: Int) -> Bool { Row.reservedIsZero(reader(index)) }

  private func reader(_ index: Int) -> RowReader {
    RowReader(base: storage.bytes.baseAddress.unsafelyUnwrapped + offset + index * Row.length)
  }
}

/// One dimension of a shape: section DIMS.
struct DimensionRow: DirectoryRow {
  static let length = 8
  var value: UInt64

  @inline(__always) init(reading row: RowReader) { value = row.integer(0) }

  func append(to bytes: inout [UInt8]) { bytes.append(littleEndian: value) }
}
