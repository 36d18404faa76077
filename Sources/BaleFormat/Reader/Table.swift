import ByteIO

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The bytes of a directory, read once and never changed.
final class DirectoryBytes: @unchecked Sendable {
  let bytes: UnsafeRawBufferPointer
  private let storage: UnsafeMutableRawBufferPointer
  /// Large directories ask for such pages: a third of the time to open one went into faults of small ones.
  private static let hugePage = 2 << 20

  /// Allocates `count` bytes and lets `fill` write them.
  init(count: Int, fill: (UnsafeMutableRawBufferPointer) throws -> Void) rethrows {
    let isLarge = count >= 2 * Self.hugePage
    storage = .allocate(byteCount: count, alignment: isLarge ? Self.hugePage : 16)
    bytes = UnsafeRawBufferPointer(storage)
    if isLarge { madvise(storage.baseAddress, count, MADV_HUGEPAGE) }
    do { try fill(storage) } catch {
      storage.deallocate()
      throw error
    }
  }

  deinit { storage.deallocate() }

  func slice(_ range: Range<Int>) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: bytes[range]) }
}

/// The rows of a section, decoded one by one as they are asked for. Its pointer is into `storage`.
struct Table<Row: DirectoryRow>: RandomAccessCollection, @unchecked Sendable {
  private let storage: DirectoryBytes
  private let base: UnsafeRawPointer?
  let count: Int

  init(_ storage: DirectoryBytes, offset: Int, count: Int) {
    self.storage = storage
    self.count = count
    base = storage.bytes.baseAddress.map { $0 + offset }
  }

  var startIndex: Int { 0 }
  var endIndex: Int { count }

  @inline(__always) subscript(index: Int) -> Row {
    precondition(index >= 0 && index < count)
    return Row(reading: reader(index))
  }

  @inline(__always) subscript(index: UInt32) -> Row { self[Int(index)] }

  @inline(__always) func hasZeroReserved(_ index: Int) -> Bool { Row.reservedIsZero(reader(index)) }

  /// A table with a row has bytes.
  @inline(__always) private func reader(_ index: Int) -> RowReader {
    RowReader(base: base.unsafelyUnwrapped + index * Row.length)
  }
}

/// One dimension of a shape: section DIMS.
struct DimensionRow: DirectoryRow {
  static let length = 8
  var value: UInt64

  @inline(__always) init(reading row: RowReader) { value = row.integer(0) }

  func append(to bytes: inout [UInt8]) { bytes.append(littleEndian: value) }
}
