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
      try readRice(UInt64(kind - OutlierIndex.firstRice), end: rows * columns, body)
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
  private mutating func readRice(_ k: UInt64, end: Int, _ body: (Int, UInt16) -> Void) throws(CodecError) {
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

/// Bits from the least significant of a byte on, read through a 64-bit window.
struct BitReader {
  private let bytes: UnsafeRawBufferPointer
  private var next: Int
  private var window: UInt64 = 0
  private var filled = 0

  init(_ bytes: UnsafeRawBufferPointer, from byte: Int) {
    self.bytes = bytes
    next = byte
  }

  /// The first byte of which no bit has been read.
  var byte: Int { next - filled / 8 }

  @inline(__always)
  private mutating func refill() {
    if next + 8 <= bytes.count {
      let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: next, as: UInt64.self))
      let taken = (63 - filled) >> 3
      window |= word << UInt64(filled)
      next += taken
      filled += 8 * taken
      if filled < 64 { window &= (1 << UInt64(filled)) - 1 }
    } else {
      while filled <= 56, next < bytes.count {
        window |= UInt64(bytes[next]) << UInt64(filled)
        next += 1
        filled += 8
      }
    }
  }

  /// A Golomb-Rice code of parameter `k` (at most 30), or nil if it isn't below `limit` or the bytes end.
  @inline(__always)
  mutating func rice(_ k: UInt64, limit: Int) -> Int? {
    var quotient = 0
    refill()
    while window == 0 {
      quotient += filled
      guard filled > 0, quotient < limit else { return nil }
      filled = 0
      refill()
    }
    let zeros = window.trailingZeroBitCount
    quotient += zeros
    drop(zeros + 1)
    if filled < Int(k) { refill() }
    guard filled >= Int(k), quotient <= limit >> Int(k) else { return nil }
    let gap = quotient << Int(k) | Int(window & ((1 << k) - 1))
    drop(Int(k))
    return gap < limit ? gap : nil
  }

  @inline(__always)
  private mutating func drop(_ count: Int) {
    window = count < 64 ? window >> UInt64(count) : 0
    filled -= count
  }
}
