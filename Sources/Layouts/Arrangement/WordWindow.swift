import ByteIO

/// Some words of some vectors of a slice, in memory: read from a stored tensor, or to be written into one.
struct WordWindow {
  let words: Range<Int>
  let vectors: Range<Int>
  let order: PackedFields.Order
  private let buffer: ByteBuffer
  /// Bytes of a word.
  private let wordBytes: Int

  /// A window of zeros.
  init(_ fields: PackedFields, words: Range<Int>, vectors: Range<Int>) {
    self.words = words
    self.vectors = vectors
    order = fields.order
    wordBytes = fields.wordBytes
    buffer = ByteBuffer(count: words.count * vectors.count * fields.wordBytes)
    buffer.withMutableBytes { _ = $0.initializeMemory(as: UInt8.self, repeating: 0) }
  }

  /// Reads the window: one call where whole stored rows are wanted, else one a row.
  init(
    _ fields: PackedFields, slice: Int, words: Range<Int>, vectors: Range<Int>, from stored: some ByteRanges
  ) throws {
    self.words = words
    self.vectors = vectors
    order = fields.order
    wordBytes = fields.wordBytes
    let (outer, inner) = fields.order == .vectors ? (vectors, words) : (words, vectors)
    let rowBytes = fields.storedRowWords * wordBytes
    let start = slice * fields.storedRows * rowBytes
    let buffer = ByteBuffer(count: outer.count * inner.count * wordBytes)
    self.buffer = buffer
    let wordBytes = wordBytes
    try buffer.withMutableBytes { bytes in
      if inner.count == fields.storedRowWords {
        return try stored.read(at: start + outer.lowerBound * rowBytes, into: bytes)
      }
      let runs = ByteRuns(
        offset: start + outer.lowerBound * rowBytes + inner.lowerBound * wordBytes, bytes: inner.count * wordBytes,
        stride: rowBytes, count: outer.count)
      try stored.read(runs, into: bytes)
    }
  }

  /// Words from one vector to the next, and from one word of a vector to the next.
  var strides: (vector: Int, word: Int) {
    order == .vectors ? (words.count, 1) : (1, vectors.count)
  }

  func withBytes<R>(_ body: (UnsafeMutableRawBufferPointer) throws -> R) rethrows -> R {
    try buffer.withMutableBytes(body)
  }

  @inline(__always)
  static func load(_ base: UnsafeMutableRawPointer, _ index: Int, wordBytes: Int) -> UInt32 {
    switch wordBytes {
    case 4: UInt32(littleEndian: base.loadUnaligned(fromByteOffset: index * 4, as: UInt32.self))
    case 2: UInt32(UInt16(littleEndian: base.loadUnaligned(fromByteOffset: index * 2, as: UInt16.self)))
    default: UInt32(base.load(fromByteOffset: index, as: UInt8.self))
    }
  }

  @inline(__always)
  static func store(_ word: UInt32, _ base: UnsafeMutableRawPointer, _ index: Int, wordBytes: Int) {
    switch wordBytes {
    case 4: base.storeBytes(of: word.littleEndian, toByteOffset: index * 4, as: UInt32.self)
    case 2:
      base.storeBytes(of: UInt16(truncatingIfNeeded: word).littleEndian, toByteOffset: index * 2, as: UInt16.self)
    default: base.storeBytes(of: UInt8(truncatingIfNeeded: word), toByteOffset: index, as: UInt8.self)
    }
  }
}
