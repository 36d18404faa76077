import ByteIO
import Codecs
import Layouts
import TestSupport
import Testing

/// Bytes in memory to read ranges of.
private struct Memory: ByteRanges {
  var bytes: [UInt8]
  var count: Int { bytes.count }

  func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws {
    buffer.copyBytes(from: bytes[offset..<offset + buffer.count])
  }
}

@Suite struct ArrangementTests {
  private func plane(_ arrangement: Arrangement, of stored: [UInt8], _ range: Range<Int>? = nil) throws -> [UInt8] {
    let range = range ?? 0..<(arrangement.sizes?.plane ?? stored.count)
    var result = [UInt8](repeating: 0xAA, count: range.count)
    try result.withUnsafeMutableBytes {
      try arrangement.readPlane(at: range.lowerBound, into: $0, from: Memory(bytes: stored))
    }
    return result
  }

  private func stored(_ arrangement: Arrangement, of plane: [UInt8], _ range: Range<Int>? = nil) throws -> [UInt8] {
    let range = range ?? 0..<(arrangement.sizes?.stored ?? plane.count)
    var result = [UInt8](repeating: 0xAA, count: range.count)
    try result.withUnsafeMutableBytes {
      try arrangement.restore(at: range.lowerBound, into: $0, from: Memory(bytes: plane))
    }
    return result
  }

  private static let packings: [(Packing, Int, Int)] =
    [(.stream, 2, 32), (.stream, 3, 32), (.stream, 4, 32), (.stream, 5, 32), (.stream, 7, 32), (.stream, 8, 8)]
    + [(.words, 3, 32), (.words, 5, 32), (.words, 4, 16), (.split, 2, 8), (.split, 4, 8), (.splitHigh, 1, 8)]
    + [(.splitHigh, 3, 32), (.splitHigh, 4, 8), (.interleaved, 4, 32)]
    + (2...8).map { (.planar, $0, 32) }

  /// Random fields, packed and taken out again, whole and in ranges that start and end anywhere.
  @Test(arguments: packings.indices) func fieldsComeBack(_ index: Int) throws {
    let (packing, bits, word) = Self.packings[index]
    var random = SplitMix64(seed: UInt64(index))
    for along in PackedFields.Axis.allCases {
      for order in PackedFields.Order.allCases {
        let changes: [PackedFields.Change] =
          [.none, .flip(1), .increment] + (word % bits == 0 && packing != .planar ? [.carry] : [])
        for change in changes {
          let fields = try PackedFields(
            slices: 2, rows: Int.random(in: 1...70, using: &random), columns: Int.random(in: 1...9, using: &random) * 8,
            field: bits, along: along, order: order, packing: packing, word: word, change: change)
          let arrangement = Arrangement(plane: 0, form: .packed(fields))
          let sizes = try #require(arrangement.sizes)
          let original = (0..<sizes.plane).map { _ in UInt8.random(in: 0...255, using: &random) }
          let packed = try stored(arrangement, of: original)
          #expect(try plane(arrangement, of: packed) == original)
          let some = Int.random(in: 0...sizes.plane / 2, using: &random)..<sizes.plane - sizes.plane / 3
          #expect(try plane(arrangement, of: packed, some) == Array(original[some]))
          let part = Int.random(in: 0...sizes.stored / 2, using: &random)..<sizes.stored - sizes.stored / 3
          #expect(try stored(arrangement, of: original, part) == Array(packed[part]))
          #expect(try Arrangement(parsing: "\(arrangement.descriptor)") == arrangement)
        }
      }
    }
  }

  /// One addition to the word: the zero points 15, 15, 0 ... of 4 bits are stored as 14, 15, 15 ..., by a borrow.
  @Test func zeroPointsCarryThroughTheWord() throws {
    let fields = try PackedFields(rows: 8, columns: 1, field: 8, bits: 4, along: .rows, word: 32, change: .carry)
    let word: UInt32 = 0xFFFF_FFFF
    let bytes = (0..<4).map { UInt8(truncatingIfNeeded: word >> (8 * UInt32($0))) }
    // FFFFFFFF + 11111111 = 11111110 modulo 2^32.
    let arrangement = Arrangement(plane: 2, form: .packed(fields))
    #expect(try plane(arrangement, of: bytes) == [0, 1, 1, 1, 1, 1, 1, 1])
    #expect(try stored(arrangement, of: [0, 1, 1, 1, 1, 1, 1, 1]) == bytes)
  }

  /// Eight codes 0 to 7 of one input: the nibbles of AWQ's word hold outputs 0, 2, 4, 6, 1, 3, 5, 7.
  @Test func outputsInterleave() throws {
    let fields = try PackedFields(
      rows: 8, columns: 2, field: 4, along: .rows, packing: .interleaved, word: 32)
    let codes: [UInt8] = (0..<8).map { $0 | $0 << 4 }
    let packed = try stored(Arrangement(plane: 0, form: .packed(fields)), of: codes)
    #expect(packed == [0x20, 0x64, 0x31, 0x75, 0x20, 0x64, 0x31, 0x75])
  }

  /// Codes of 4 rows by 64 columns, each the number of its column modulo 16: the first 16-bit word holds columns 0, 8,
  /// 16, 24 ... in the order in which the kernel takes them.
  @Test func tilesOfFourRows() throws {
    let arrangement = Arrangement(plane: 0, form: .tiled(try TiledNibbles(rows: 4, columns: 64)))
    let row: [UInt8] = (0..<32).map { column in UInt8((2 * column) % 16) | UInt8((2 * column + 1) % 16) << 4 }
    let plane = row + row + row + row
    let packed = try stored(arrangement, of: plane)
    // 0, 1, 8, 9, 16, 17, 24, 25 after the first step; its even places, then its odd ones.
    #expect(packed.prefix(4) == [0x80, 0x80, 0x91, 0x91])
    #expect(try self.plane(arrangement, of: packed) == plane)
  }

  @Test(arguments: [
    "packed:plane=0,rows=9999999999,columns=9999999999,field=8,bits=8,word=8,words=9999999999",
    "packed:plane=0,rows=8,columns=8,field=4,bits=8,word=8,words=8", "packed:plane=0,rows=8,columns=8,field=4,words=0",
    "packed:plane=0,rows=4,columns=4,field=9,word=32,words=4", "tiled:plane=0,rows=3,columns=64", "woven:plane=0",
    "packed:plane=0,rows=4,columns=4,field=4,word=24,words=4", "packed:plane=0,rows=4,columns=4,change=flipper",
  ])
  func refusesWhatDoesNotFit(_ text: String) {
    #expect(throws: CodecError.self) { try Arrangement(parsing: text) }
  }
}
