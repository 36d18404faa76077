import TestSupport
import Testing

@testable import Codecs

@Suite struct SpQROutlierTests {
  private func codec(
    _ index: SpQRCodec.IndexChoice = .smallest, bits: Int = 3, combine: SpQRCodec.Combination = .replace,
    outliers: ScalarFloat = .f16, rows: Int = 16, arithmetic: BilevelCodec.Arithmetic = .f32
  ) throws -> SpQRCodec {
    try SpQRCodec(
      dense: try BilevelCodec(bits: bits, tileRows: rows, arithmetic: arithmetic), outliers: outliers, combine: combine,
      index: index)
  }

  private func matrix(_ codec: SpQRCodec, rows: Int, columns: Int, seed: UInt64) throws -> BilevelMatrix {
    var random = SplitMix64(seed: seed)
    let planes = random.bilevelPlanes(codec.dense, rows: rows, columns: columns)
    return try withSpan(planes, elements: rows * columns, columns: columns) { try codec.dense.unpack($0) }
  }

  private func outliers(_ count: Int, density: Double, seed: UInt64) -> [Outlier] {
    var random = SplitMix64(seed: seed)
    return (0..<count).compactMap { position in
      Double.random(in: 0..<1, using: &random) < density
        ? Outlier(position: position, bits: Float16(Float(random.normal())).bitPattern) : nil
    }
  }

  @Test(arguments: SpQRCodec.IndexChoice.allCases, [0, 0.002, 0.01, 0.3, 1])
  func everyOutlierComesBack(index: SpQRCodec.IndexChoice, density: Double) throws {
    for (rows, columns) in [(16, 16), (40, 100), (33, 300), (1, 5)] {
      let codec = try codec(index)
      let matrix = try matrix(codec, rows: rows, columns: columns, seed: 31)
      let listed = outliers(rows * columns, density: density, seed: 32)
      let planes = try codec.pack(matrix, outliers: listed)
      let back = try withSpan(planes, elements: rows * columns, columns: columns) { try codec.unpack($0) }
      #expect(back.dense == matrix)
      #expect(back.outliers == listed)
      let values = try codec.values(planes, rows: rows, columns: columns)
      var expected = try codec.dense.values(Array(planes.prefix(3)), rows: rows, columns: columns)
      for outlier in listed { expected[outlier.position] = codec.outlierValue(outlier.bits) }
      #expect(values == expected)
      #expect(try codec.values(planes, rows: rows, columns: columns, reference: true) == expected)
      for plane in 3..<6 {
        #expect(planes[plane].count <= codec.bytes(plane: plane, elements: rows * columns, columns: columns))
      }
    }
  }

  @Test func aZeroOutlierSurvives() throws {
    let codec = try codec()
    var matrix = BilevelMatrix(rows: 16, columns: 16, codec: codec.dense)
    matrix.codes = [UInt8](repeating: 7, count: 256)
    matrix.scaleCodes = [UInt8](repeating: 1, count: 16)
    matrix.statistics = [Float16(1).bitPattern, 0, 0, 0]
    let planes = try codec.pack(matrix, outliers: [Outlier(position: 37, bits: 0)])
    let values = try codec.values(planes, rows: 16, columns: 16)
    #expect(values[37] == 0)
    #expect(values.filter { $0 == 7 }.count == 255)
  }

  @Test func columnsPast65535AreUnsigned() throws {
    for index in SpQRCodec.IndexChoice.allCases {
      for columns in [256, 257, 40000, 65536, 65537, 70000] {
        let codec = try codec(index, rows: 2)
        let matrix = BilevelMatrix(rows: 2, columns: columns, codec: codec.dense)
        let listed = [columns - 1, columns, 2 * columns - 1].map { Outlier(position: $0, bits: 0x3C00) }
        let planes = try codec.pack(matrix, outliers: listed)
        let values = try codec.values(planes, rows: 2, columns: columns)
        #expect(values.indices.filter { values[$0] == 1 } == listed.map(\.position))
      }
    }
  }

  /// Bits an outlier, value included, at one percent: below 28 by the smaller index.
  @Test(arguments: [(0.01, 25.0), (0.005, 26.0), (0.002, 28.5)])
  func bitsOfAnOutlier(density: Double, most: Double) throws {
    let codec = try codec()
    let (rows, columns) = (64, 1024)
    let matrix = BilevelMatrix(rows: rows, columns: columns, codec: codec.dense)
    let listed = outliers(rows * columns, density: density, seed: 33)
    let planes = try codec.pack(matrix, outliers: listed)
    let bits = 8 * planes[3...].reduce(0) { $0 + $1.count }
    #expect(Double(bits) / Double(listed.count) < most)
    let plain = try self.codec(.csr).pack(matrix, outliers: listed)
    #expect(8 * plain[3...].reduce(0) { $0 + $1.count } > bits)
  }

  @Test func sumsFollowTheRuleAndTheArithmetic() throws {
    for combine in [SpQRCodec.Combination.addCompensated, .addRaw] {
      for arithmetic in BilevelCodec.Arithmetic.allCases {
        let codec = try codec(combine: combine, outliers: .bf16, arithmetic: arithmetic)
        let matrix = try matrix(codec, rows: 16, columns: 32, seed: 34)
        let listed = [Outlier(position: 3, bits: 0x3F9E), Outlier(position: 500, bits: 0xC0F1)]
        let planes = try codec.pack(matrix, outliers: listed)
        let dense = try codec.dense.values(Array(planes.prefix(3)), rows: 16, columns: 32)
        let values = try codec.values(planes, rows: 16, columns: 32)
        for outlier in listed {
          let sum = dense[outlier.position] + codec.outlierValue(outlier.bits)
          #expect(values[outlier.position] == (arithmetic == .f16 ? Float(Float16(sum)) : sum))
        }
      }
    }
  }

  @Test func outlierValuesRoundToNearestEven() throws {
    let bf16 = try codec(outliers: .bf16)
    #expect(bf16.outlierBits(1.00390625) == 0x3F80)
    #expect(bf16.outlierBits(1.01171875) == 0x3F82)
    #expect(bf16.outlierBits(.greatestFiniteMagnitude) == 0x7F7F)
    #expect(try codec().outlierBits(1e9) == 0x7BFF)
    #expect(try codec().outlierBits(-1e9) == 0xFBFF)
  }

  @Test func everyOutlierHasItsValue() throws {
    let (f16, bf16) = (try codec(), try codec(outliers: .bf16))
    for bits in UInt16.min...UInt16.max {
      let half = Float(Float16(bitPattern: bits))
      #expect(f16.outlierValue(bits).bitPattern == half.bitPattern || half.isNaN)
      #expect(bf16.outlierValue(bits).bitPattern == UInt32(bits) << 16)
    }
  }

  @Test func packRefusesOutliersOutOfOrder() throws {
    let codec = try codec()
    let matrix = BilevelMatrix(rows: 2, columns: 4, codec: codec.dense)
    for positions in [[1, 1], [3, 2], [-1], [8]] {
      #expect(throws: CodecError.self) {
        try codec.pack(matrix, outliers: positions.map { Outlier(position: $0, bits: 0) })
      }
    }
  }

  @Test(arguments: SpQRCodec.IndexChoice.allCases) func everyTruncationIsRefused(index: SpQRCodec.IndexChoice) throws {
    let codec = try codec(index)
    let matrix = BilevelMatrix(rows: 20, columns: 300, codec: codec.dense)
    let planes = try codec.pack(matrix, outliers: outliers(6000, density: 0.01, seed: 35))
    for plane in 3..<6 {
      for change in [-1, 1] {
        var bad = planes
        if change < 0 { bad[plane].removeLast() } else { bad[plane].append(0) }
        #expect(throws: CodecError.self) { try codec.values(bad, rows: 20, columns: 300) }
      }
    }
  }

  @Test func badIndexesAreRefused() throws {
    let codec = try codec()
    let dense = try codec.dense.pack(BilevelMatrix(rows: 2, columns: 4, codec: codec.dense))
    let cases: [(rows: [UInt8], columns: [UInt8], values: Int)] = [
      ([33], [], 0),  // no such kind
      ([1, 1, 0, 0, 0, 0, 0, 0, 0], [0], 1),  // row pointers that fall
      ([1, 5, 0, 0, 0, 5, 0, 0, 0], [0, 1, 2, 3, 3], 5),  // more outliers than columns
      ([1, 1, 0, 0, 0, 1, 0, 0, 0], [4], 1),  // a column past the row
      ([1, 2, 0, 0, 0, 2, 0, 0, 0], [2, 2], 2),  // a column twice
      ([2, 0, 0, 0, 0], [], 0),  // an index of none
      ([2, 9, 0, 0, 0], [0xFF, 0xFF], 9),  // more outliers than weights
      ([2, 1, 0, 0, 0], [0], 1),  // no end of a code
      ([2, 2, 0, 0, 0], [0x01, 0x01], 2),  // a position past the end
      ([32, 1, 0, 0, 0], [0x01, 0, 0, 0x40], 1),  // a gap of 2^29
    ]
    for (rows, columns, values) in cases {
      let planes = dense + [rows, columns, [UInt8](repeating: 0, count: 2 * values)]
      #expect(throws: CodecError.self, "\(rows) \(columns)") { try codec.values(planes, rows: 2, columns: 4) }
    }
  }

  /// Random index bytes give values or an error, never a trap; what is accepted packs again to the same outliers.
  @Test func randomIndexesNeverTrap() throws {
    let codec = try codec(rows: 2)
    let dense = try codec.dense.pack(BilevelMatrix(rows: 6, columns: 9, codec: codec.dense))
    var random = SplitMix64(seed: 36)
    for _ in 0..<20000 {
      let rows = (0..<Int.random(in: 3...20, using: &random)).map { _ in UInt8.random(in: 0...6, using: &random) & 3 }
      let columns = (0..<Int.random(in: 0...12, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
      let values = [UInt8](repeating: 1, count: Int.random(in: 0...12, using: &random) * 2)
      let planes = dense + [rows, columns, values]
      guard let back = try? withSpan(planes, elements: 54, columns: 9, { try codec.unpack($0) }) else { continue }
      let again = try codec.pack(back.dense, outliers: back.outliers)
      let second = try withSpan(again, elements: 54, columns: 9) { try codec.unpack($0) }
      #expect(second.outliers == back.outliers)
    }
  }
}
