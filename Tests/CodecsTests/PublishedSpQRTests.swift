import TestSupport
import Testing

@testable import Codecs

@Suite struct PublishedSpQRTests {
  private func span(rows: Int, columns: Int, density: Double, permuted: Bool, seed: UInt64) throws -> SpQRMatrix {
    var random = SplitMix64(seed: seed)
    let codec = try PublishedSpQR.codec(permuted: permuted)
    let planes = random.bilevelPlanes(codec.dense, rows: rows, columns: columns)
    let dense = try withSpan(planes, elements: rows * columns, columns: columns) { try codec.dense.unpack($0) }
    let outliers = (0..<rows * columns).compactMap { position in
      Double.random(in: 0..<1, using: &random) < density
        ? Outlier(position: position, bits: UInt16.random(in: 1...0x7BFF, using: &random)) : nil
    }
    return SpQRMatrix(
      dense: dense, outliers: outliers, permutation: permuted ? Array(0..<columns).shuffled(using: &random) : [])
  }

  @Test(arguments: [false, true], [0, 0.02, 0.6]) func exportUndoesImport(permuted: Bool, density: Double) throws {
    for (rows, columns) in [(16, 16), (48, 80), (0, 32)] {
      let span = try span(rows: rows, columns: columns, density: density, permuted: permuted, seed: 81)
      for sparse in [PublishedSpQR.Sparse.csr, .interleaved] {
        let published = try PublishedSpQR(span, sparse: sparse)
        #expect(published.denseWords.count == rows * columns / 16)
        #expect(try published.span() == span)
      }
    }
  }

  /// A word of the layout, by the table of the library's source: 3 + 3 + 48 + 8 bits.
  @Test func wordsAreAsTheLibraryDescribes() throws {
    var span = try span(rows: 16, columns: 16, density: 0, permuted: false, seed: 82)
    span.dense.statistics = [0x1234, 0x5678, 0x2ABC, 0x3DEF]
    span.outliers = [Outlier(position: 18, bits: 0x3C01)]
    let published = try PublishedSpQR(span, sparse: .csr)
    let word = published.denseWords[5]
    #expect(word & 7 == UInt64(span.dense.scaleCodes[5]))
    #expect(word >> 3 & 7 == UInt64(span.dense.zeroCodes[5]))
    #expect(word >> 9 & 7 == UInt64(span.dense.codes[5 * 16 + 1]))
    #expect(word >> 62 == 0)
    // Rows 0 to 15 hold bytes 0 0 1 1 ... 7 7 of scale_s, scale_z, zero_s, zero_z, lowest byte first.
    let record = published.denseWords.map { UInt8($0 >> 54) }
    #expect(record == [0x34, 0x12, 0xBC, 0x2A, 0x78, 0x56, 0xEF, 0x3D].flatMap { [$0, $0] })
    #expect(published.rowOffsets == [0, 0] + [Int32](repeating: 1, count: 15))
    #expect(published.columnValues == [0x3C01_0002])
  }

  @Test func whatItCannotHoldIsRefused() throws {
    let wide = SpQRMatrix(
      dense: BilevelMatrix(rows: 16, columns: 40000, codec: try PublishedSpQR.codec(permuted: false).dense),
      outliers: [Outlier(position: 0, bits: 1)])
    #expect(throws: CodecError.self) { try PublishedSpQR(wide, sparse: .csr) }
    var zero = try span(rows: 16, columns: 16, density: 0, permuted: false, seed: 83)
    zero.outliers = [Outlier(position: 32, bits: 0)]
    #expect(throws: CodecError.self) { try PublishedSpQR(zero, sparse: .interleaved) }
    #expect(try PublishedSpQR(zero, sparse: .csr).span() == zero)
    let odd = BilevelMatrix(rows: 17, columns: 16, codec: try PublishedSpQR.codec(permuted: false).dense)
    #expect(throws: CodecError.self) { try PublishedSpQR(SpQRMatrix(dense: odd, outliers: []), sparse: .csr) }
  }

  @Test func badArraysAreRefused() throws {
    let good = try PublishedSpQR(
      span(rows: 32, columns: 32, density: 0.1, permuted: true, seed: 84), sparse: .interleaved)
    var cases: [PublishedSpQR] = []
    func change(_ edit: (inout PublishedSpQR) -> Void) {
      var copy = good
      edit(&copy)
      cases.append(copy)
    }
    change { $0.denseWords.removeLast() }
    change { $0.denseWords[3] |= 1 << 63 }
    change { $0.denseWords[0] ^= 1 << 54 }
    change { $0.rowOffsets.removeLast() }
    change { $0.rowOffsets[1] = 0x7FFF_FFF0 }
    change { $0.columnValues.append(0) }
    change { $0.columnValues[0] |= 0xFFFF }
    change { $0.columnValues.swapAt(0, 16) }
    change { $0.permutation.removeLast() }
    change { $0.rows = 31 }
    for bad in cases { #expect(throws: CodecError.self) { try bad.span() } }
  }

  @Test func permutedColumnsDecodeInTheirPlaces() throws {
    let codec = try PublishedSpQR.codec(permuted: true)
    let span = try span(rows: 20, columns: 40, density: 0.05, permuted: true, seed: 85)
    let planes = try codec.pack(span)
    #expect(try withSpan(planes, elements: 800, columns: 40) { try codec.unpack($0) } == span)
    let plain = try PublishedSpQR.codec(permuted: false)
    let stored = try plain.values(Array(planes.prefix(6)), rows: 20, columns: 40)
    for reference in [false, true] {
      let values = try codec.values(planes, rows: 20, columns: 40, reference: reference)
      for row in 0..<20 {
        for (index, column) in span.permutation.enumerated() {
          #expect(values[row * 40 + column].bitPattern == stored[row * 40 + index].bitPattern)
        }
      }
    }
    var bad = planes
    bad[6][0] = bad[6][2]
    bad[6][1] = bad[6][3]
    #expect(throws: CodecError.self) { try codec.values(bad, rows: 20, columns: 40) }
  }
}
