import ByteIO

/// Reads the outliers of a span, one row of tiles after another, and checks every count and position.
struct OutlierReader {
  private let rowsPlane: UnsafeRawBufferPointer
  private let columnsPlane: UnsafeRawBufferPointer
  private let valuesPlane: UnsafeRawBufferPointer
  private var rowsAt = 0
  private var columnsAt = 0
  private var valuesAt = 0

  init(_ planes: ArraySlice<UnsafeRawBufferPointer>) throws(CodecError) {
    guard planes.count == 3 else {
      throw .planeSize(codec: "spqr", plane: .outlierValues, expected: 3, found: planes.count)
    }
    rowsPlane = planes[planes.startIndex]
    columnsPlane = planes[planes.startIndex + 1]
    valuesPlane = planes[planes.startIndex + 2]
  }

  /// Calls `body` with position and stored bits of every outlier of the next row of tiles, in ascending order.
  @inline(__always)
  mutating func next(rows: Int, columns: Int, _ body: (Int, UInt16) -> Void) throws(CodecError) {
    guard rowsAt < rowsPlane.count else { throw tooShort(.outlierRows, rowsPlane, need: 1) }
    let kind = rowsPlane[rowsAt]
    rowsAt += 1
    switch kind {
    case OutlierIndex.empty: return
    case OutlierIndex.csr: try readPlain(rows: rows, columns: columns, body)
    case OutlierIndex.firstRice...OutlierIndex.firstRice + UInt8(OutlierIndex.largestParameter):
      try readRice(Int(kind - OutlierIndex.firstRice), end: rows * columns, body)
    default:
      throw .value(codec: "spqr", plane: .outlierRows, offset: rowsAt - 1, reason: "no outlier index of kind \(kind)")
    }
  }

  /// Throws unless every byte of the planes has been read.
  func finish() throws(CodecError) {
    for (role, plane, at) in [
      (PlaneRole.outlierRows, rowsPlane, rowsAt), (.outlierColumns, columnsPlane, columnsAt),
      (.outlierValues, valuesPlane, valuesAt),
    ] where at != plane.count {
      throw .planeSize(codec: "spqr", plane: role, expected: at, found: plane.count)
    }
  }

  private func tooShort(_ role: PlaneRole, _ plane: UnsafeRawBufferPointer, need: Int) -> CodecError {
    .planeSize(codec: "spqr", plane: role, expected: plane.count + need, found: plane.count)
  }

  private mutating func word() throws(CodecError) -> Int {
    guard rowsPlane.count - rowsAt >= 4 else { throw tooShort(.outlierRows, rowsPlane, need: 4) }
    defer { rowsAt += 4 }
    return Int(UInt32(littleEndian: rowsPlane.loadUnaligned(fromByteOffset: rowsAt, as: UInt32.self)))
  }

  /// Moves past `count` values, which are then there to be read. Returns where the first one is.
  private mutating func values(_ count: Int) throws(CodecError) -> Int {
    let first = valuesAt
    guard (valuesPlane.count - first) / 2 >= count else {
      throw tooShort(.outlierValues, valuesPlane, need: 2 * count - (valuesPlane.count - first))
    }
    valuesAt += 2 * count
    return first
  }

  @inline(__always)
  private func value(_ offset: Int) -> UInt16 {
    UInt16(littleEndian: valuesPlane.loadUnaligned(fromByteOffset: offset, as: UInt16.self))
  }

  private mutating func readPlain(rows: Int, columns: Int, _ body: (Int, UInt16) -> Void) throws(CodecError) {
    let width = OutlierIndex.columnBytes(columns)
    var last = 0
    for row in 0..<rows {
      let end = try word()
      guard end >= last, end - last <= columns, (columnsPlane.count - columnsAt) / width >= end - last else {
        throw .value(
          codec: "spqr", plane: .outlierRows, offset: rowsAt - 4,
          reason: "the row pointer \(end) after \(last) has no such columns")
      }
      let first = try values(end - last)
      var previous = -1
      for entry in 0..<end - last {
        let column = Int(columnsPlane.littleEndian(at: columnsAt, bytes: width))
        guard column > previous, column < columns else {
          throw .value(
            codec: "spqr", plane: .outlierColumns, offset: columnsAt,
            reason: "column \(column) after \(previous), of \(columns)")
        }
        body(row * columns + column, value(first + 2 * entry))
        previous = column
        columnsAt += width
      }
      last = end
    }
  }

  /// Golomb-Rice codes of parameter `k` whose positions stay below `end`.
  private mutating func readRice(_ k: Int, end: Int, _ body: (Int, UInt16) -> Void) throws(CodecError) {
    let count = try word()
    guard count >= 1, count <= end else {
      throw .value(codec: "spqr", plane: .outlierRows, offset: rowsAt - 4, reason: "\(count) outliers of \(end)")
    }
    let first = try values(count)
    var bits = BitReader(columnsPlane, from: columnsAt)
    var position = -1
    for entry in 0..<count {
      guard let gap = bits.rice(k, limit: end - position - 1) else {
        throw .value(
          codec: "spqr", plane: .outlierColumns, offset: bits.byte, reason: "an outlier lies past the row of tiles")
      }
      position += 1 + gap
      body(position, value(first + 2 * entry))
    }
    columnsAt = bits.byte
  }
}

/// Bits from the least significant of a byte on.
struct BitReader {
  private let bytes: UnsafeRawBufferPointer
  /// Bits before the next one.
  private var bit: Int

  init(_ bytes: UnsafeRawBufferPointer, from byte: Int) {
    self.bytes = bytes
    bit = byte * 8
  }

  /// The first byte of which no bit has been read.
  var byte: Int { (bit + 7) / 8 }

  /// A Golomb-Rice code of parameter `k` (at most 30), or nil if it isn't below `limit` or the bytes end.
  @inline(__always)
  mutating func rice(_ k: Int, limit: Int) -> Int? {
    // Each code waits for the length of the one before: one load that holds nearly all of them keeps the wait short.
    let start = bit >> 3
    if start + 8 <= bytes.count {
      let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: start, as: UInt64.self))
      let window = word >> UInt64(bit & 7)
      let zeros = window.trailingZeroBitCount
      if zeros + k < 56 {
        bit += zeros + 1 + k
        let gap = zeros << k | Int((window >> 1) >> UInt64(zeros) & ((1 << UInt64(k)) - 1))
        return gap < limit ? gap : nil
      }
    }
    return slowRice(k, limit: limit)
  }

  /// The same bit by bit: for codes at the end of the bytes, and long ones.
  private mutating func slowRice(_ k: Int, limit: Int) -> Int? {
    var quotient = 0
    while true {
      guard let one = next(), quotient <= limit >> k else { return nil }
      if one == 1 { break }
      quotient += 1
    }
    var gap = quotient << k
    for place in 0..<k {
      guard let one = next() else { return nil }
      gap |= one << place
    }
    return gap < limit ? gap : nil
  }

  private mutating func next() -> Int? {
    guard bit >> 3 < bytes.count else { return nil }
    defer { bit += 1 }
    return Int(bytes[bit >> 3] >> UInt8(bit & 7) & 1)
  }
}
