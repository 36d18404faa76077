import ByteIO

/// How rows of codes of a few bits lie in bytes, with one scale a group. Codes are a little-endian bit stream, first
/// code in the lowest bits. A row starts on a byte, its last group may be short, and its groups may be gathered in
/// superblocks, the last of which may be short too.
struct PackedRows {
  /// Elements a group, positive.
  var group: Int
  /// Bits a code, 1...8.
  var bits: Int
  /// Groups a superblock, positive; 1 where there are none.
  var superblock = 1

  /// True if rows have no short group and no odd bits, so that they can be seen as one long row and a span may be
  /// cut at any superblock.
  func isSeamless(columns: Int) -> Bool {
    guard let unit = group.multiplied(by: superblock), columns > 0 else { return false }
    return columns % unit == 0 && unit % 8 * bits % 8 == 0
  }

  func alignment(columns: Int) -> Int { isSeamless(columns: columns) ? group * superblock : max(columns, 1) }

  /// A span as `count` rows of `length` elements that each start on a byte: one row if they are seamless.
  func rows(elements: Int, columns: Int) -> (count: Int, length: Int) {
    guard columns > 0, elements > 0 else { return (0, 0) }
    return isSeamless(columns: columns) ? (1, elements) : (elements / columns, columns)
  }

  /// Bytes of the codes of one such row.
  func codeBytes(length: Int) -> Int { (length * bits).dividedRoundingUp(by: 8) }

  /// Groups of one such row.
  func groups(length: Int) -> Int { length.dividedRoundingUp(by: group) }

  /// Superblocks of one such row.
  func superblocks(length: Int) -> Int { groups(length: length).dividedRoundingUp(by: superblock) }

  /// The code with this index in a row.
  func code(_ index: Int, in row: UnsafeRawBufferPointer) -> UInt8 {
    let bit = index * bits
    var window = UInt16(row[bit / 8])
    if bit % 8 + bits > 8 { window |= UInt16(row[bit / 8 + 1]) << 8 }
    return UInt8(truncatingIfNeeded: window >> UInt16(bit % 8)) & UInt8(truncatingIfNeeded: (1 << bits) - 1)
  }

  /// Writes a code into a row that was zero there.
  func put(_ code: UInt8, at index: Int, in row: UnsafeMutableRawBufferPointer) {
    let bit = index * bits
    let window = UInt16(code) << UInt16(bit % 8)
    row[bit / 8] |= UInt8(truncatingIfNeeded: window)
    if bit % 8 + bits > 8 { row[bit / 8 + 1] |= UInt8(truncatingIfNeeded: window >> 8) }
  }
}

extension PackedRows {
  /// One row of a span: its codes, where its groups start among those of the span, and its elements.
  struct Row {
    var codes: Range<Int>
    var groups: Range<Int>
    var superblocks: Range<Int>
    var elements: Range<Int>
  }

  /// The rows of a span, in order.
  func eachRow(elements: Int, columns: Int) -> some Sequence<Row> {
    let (count, length) = rows(elements: elements, columns: columns)
    let (bytes, groups, blocks) = (codeBytes(length: length), groups(length: length), superblocks(length: length))
    return (0..<count).lazy.map { row in
      Row(
        codes: row * bytes..<(row + 1) * bytes, groups: row * groups..<(row + 1) * groups,
        superblocks: row * blocks..<(row + 1) * blocks, elements: row * length..<(row + 1) * length)
    }
  }
}
