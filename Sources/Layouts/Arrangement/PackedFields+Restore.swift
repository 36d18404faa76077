import ByteIO

extension PackedFields {
  /// Bytes of the plane that are read at once.
  private static let block = 1 << 20

  /// Fills `target` with the stored bytes from `offset`: whole stored rows are made, and cut where they reach beyond.
  func restore(
    at offset: Int, into target: UnsafeMutableRawBufferPointer, from plane: some ByteRanges
  ) throws {
    let storedRowBytes = storedRowWords * wordBytes
    guard !target.isEmpty, storedRowBytes > 0 else { return }
    var row = offset / storedRowBytes
    let end = (offset + target.count).dividedRoundingUp(by: storedRowBytes)
    while row < end {
      let slice = row / storedRows
      let run = row..<min(end, (slice + 1) * storedRows)
      let window = try packed(
        run.lowerBound - slice * storedRows..<run.upperBound - slice * storedRows, slice: slice, from: plane)
      let made = run.lowerBound * storedRowBytes..<run.upperBound * storedRowBytes
      let wanted = made.clamped(to: offset..<offset + target.count)
      window.withBytes { bytes in
        let from = UnsafeRawBufferPointer(
          rebasing: bytes[wanted.lowerBound - made.lowerBound..<wanted.upperBound - made.lowerBound])
        UnsafeMutableRawBufferPointer(rebasing: target[(wanted.lowerBound - offset)...]).copyMemory(from: from)
      }
      row = run.upperBound
    }
  }

  /// Stored rows of a slice, made from the fields that lie in them.
  private func packed(_ stored: Range<Int>, slice: Int, from plane: some ByteRanges) throws -> WordWindow {
    let words = order == .vectors ? 0..<self.words : stored
    let vectors = order == .vectors ? stored : 0..<self.vectors
    let window = WordWindow(self, words: words, vectors: vectors)
    let runs = fieldRuns(in: words)
    let rowRuns = along == .columns ? [vectors] : runs
    for run in rowRuns {
      for block in blocks(of: run) {
        let start = (slice * rows + block.lowerBound) * rowBytes
        let bytes = try plane.buffer(start..<start + block.count * rowBytes)
        bytes.withBytes {
          if packFast($0, rows: block, into: window) { return }
          pack($0, rows: block, along == .columns ? runs : [vectors], into: window)
        }
      }
    }
    if change == .carry { subtractCarry(from: window) }
    return window
  }

  /// Runs of a vector's fields that have a piece in some of its words.
  private func fieldRuns(in words: Range<Int>) -> [Range<Int>] {
    if words == 0..<self.words { return length == 0 ? [] : [0..<length] }
    var runs: [Range<Int>] = []
    for index in 0..<length {
      let pieces = packing.pieces(of: index, bits: bits, word: word, words: self.words)
      guard pieces.contains(where: { words.contains($0.word) }) else { continue }
      if let last = runs.last, last.upperBound == index {
        runs[runs.count - 1] = last.lowerBound..<index + 1
      } else {
        runs.append(index..<index + 1)
      }
    }
    return runs
  }

  private func blocks(of rows: Range<Int>) -> [Range<Int>] {
    stride(from: rows.lowerBound, to: rows.upperBound, by: max(Self.block / max(rowBytes, 1), 1)).map {
      $0..<min($0 + max(Self.block / max(rowBytes, 1), 1), rows.upperBound)
    }
  }

  /// Puts the fields of some columns of rows into words.
  private func pack(
    _ bytes: UnsafeRawBufferPointer, rows: Range<Int>, _ columnRuns: [Range<Int>], into window: WordWindow
  ) {
    guard let base = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return }
    let strides = window.strides
    let tables = along == .columns ? columnRuns.map { PieceTable(self, $0) } : [PieceTable(self, rows)]
    window.withBytes { words in
      guard let words = words.baseAddress else { return }
      for (run, columns) in columnRuns.enumerated() {
        let table = tables[along == .columns ? run : 0]
        for row in rows {
          let input = base + (row - rows.lowerBound) * rowBytes
          for column in columns {
            let (index, vector) =
              along == .columns ? (column - columns.lowerBound, row) : (row - rows.lowerBound, column)
            let value = unchanged(FieldBits.load(input, column, bits: field))
            for piece in table.pieces(index) where window.words.contains(piece.word) {
              let at =
                (vector - window.vectors.lowerBound) * strides.vector
                + (piece.word - window.words.lowerBound) * strides.word
              let bits = (value >> piece.position & piece.mask) << piece.shift
              WordWindow.store(
                WordWindow.load(words, at, wordBytes: wordBytes) | bits, words, at, wordBytes: wordBytes)
            }
          }
        }
      }
    }
  }

  private func subtractCarry(from window: WordWindow) {
    window.withBytes { bytes in
      guard let words = bytes.baseAddress else { return }
      for index in 0..<bytes.count / wordBytes {
        let word = WordWindow.load(words, index, wordBytes: wordBytes) &- carry
        WordWindow.store(word, words, index, wordBytes: wordBytes)
      }
    }
  }
}
