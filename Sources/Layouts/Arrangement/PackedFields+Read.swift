import ByteIO

extension PackedFields {
  /// Fills `target` with the plane's bytes from `offset`: whole rows are made, and cut where they reach beyond.
  func readPlane(
    at offset: Int, into target: UnsafeMutableRawBufferPointer, from stored: some ByteRanges
  ) throws {
    guard !target.isEmpty, rowBytes > 0 else { return }
    let rows = offset / rowBytes..<(offset + target.count).dividedRoundingUp(by: rowBytes)
    let made = ByteBuffer(count: rows.count * rowBytes)
    try made.withMutableBytes { bytes in
      _ = bytes.initializeMemory(as: UInt8.self, repeating: 0)
      var row = rows.lowerBound
      while row < rows.upperBound {
        let slice = row / self.rows
        let end = min(rows.upperBound, (slice + 1) * self.rows)
        let from = (row - rows.lowerBound) * rowBytes
        let part = UnsafeMutableRawBufferPointer(rebasing: bytes[from..<from + (end - row) * rowBytes])
        try readRows(row - slice * self.rows..<end - slice * self.rows, slice: slice, into: part, from: stored)
        row = end
      }
      let skipped = offset - rows.lowerBound * rowBytes
      target.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[skipped..<skipped + target.count]))
    }
  }

  /// Makes rows of a slice.
  private func readRows(
    _ rows: Range<Int>, slice: Int, into target: UnsafeMutableRawBufferPointer, from stored: some ByteRanges
  ) throws {
    let fields = along == .columns ? 0..<columns : rows
    let vectors = along == .columns ? rows : 0..<columns
    if let words = fastWords(of: rows) {
      let window = try WordWindow(self, slice: slice, words: words, vectors: vectors, from: stored)
      return unpackFast(window, rows: rows, into: target)
    }
    let table = PieceTable(self, fields)
    let window = try WordWindow(self, slice: slice, words: table.words, vectors: vectors, from: stored)
    unpack(window, table, rows: rows, into: target)
  }

  /// Takes the fields of rows out of words, one by one.
  func unpack(_ window: WordWindow, _ table: PieceTable, rows: Range<Int>, into target: UnsafeMutableRawBufferPointer) {
    guard let base = target.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return }
    let (strides, carry) = (window.strides, carry)
    window.withBytes { words in
      guard let words = words.baseAddress else { return }
      for row in 0..<rows.count {
        let output = base + row * rowBytes
        for column in 0..<columns {
          let (index, vector) = along == .columns ? (column, row) : (row, column)
          var value: UInt32 = 0
          for piece in table.pieces(index) {
            let at = vector * strides.vector + (piece.word - window.words.lowerBound) * strides.word
            let word = WordWindow.load(words, at, wordBytes: wordBytes) &+ carry
            value |= (word >> piece.shift & piece.mask) << piece.position
          }
          FieldBits.store(changed(value), output, column, bits: field)
        }
      }
    }
  }

  @inline(__always)
  private func changed(_ value: UInt32) -> UInt32 {
    switch change {
    case .none, .carry: value
    case .flip(let mask): value ^ mask
    case .increment: (value &+ 1) & (UInt32.max >> UInt32(32 - bits))
    }
  }

  /// The stored field that `changed` makes a plane's field of, but for a carry.
  @inline(__always)
  func unchanged(_ value: UInt32) -> UInt32 {
    switch change {
    case .none, .carry: value
    case .flip(let mask): value ^ mask
    case .increment: (value &- 1) & (UInt32.max >> UInt32(32 - bits))
    }
  }
}

/// Where the fields of a run lie in their vector's words.
struct PieceTable {
  let fields: Range<Int>
  /// The words that hold them.
  let words: Range<Int>
  private let all: [Packing.Piece]
  private let firsts: [Int]

  init(_ layout: PackedFields, _ fields: Range<Int>) {
    self.fields = fields
    var (all, firsts, low, high) = ([Packing.Piece](), [0], Int.max, 0)
    for index in fields {
      let pieces = layout.packing.pieces(of: index, bits: layout.bits, word: layout.word, words: layout.words)
      for piece in pieces { (low, high) = (min(low, piece.word), max(high, piece.word + 1)) }
      all += pieces
      firsts.append(all.count)
    }
    self.all = all
    self.firsts = firsts
    words = min(low, high)..<high
  }

  /// The pieces of a field, counted from the first of the run.
  @inline(__always)
  func pieces(_ index: Int) -> ArraySlice<Packing.Piece> { all[firsts[index]..<firsts[index + 1]] }
}
