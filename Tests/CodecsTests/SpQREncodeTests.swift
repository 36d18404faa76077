import TestSupport
import Testing

@testable import Codecs

@Suite struct SpQREncodeTests {
  private func encode(
    _ codec: BilevelCodec, _ values: [Float], columns: Int, rule: ScaleRule = .search
  ) throws -> [[UInt8]] {
    let sizes = (0..<3).map { codec.bytes(plane: $0, elements: values.count, columns: columns) }
    var bytes = [UInt8](repeating: 0, count: sizes.reduce(0, +))
    let ends = [0, sizes[0], sizes[0] + sizes[1], bytes.count]
    try bytes.withUnsafeMutableBytes { all in
      let planes = (0..<3).map { UnsafeMutableRawBufferPointer(rebasing: all[ends[$0]..<ends[$0 + 1]]) }
      try values.withUnsafeBufferPointer { try codec.encode($0, columns: columns, rule: rule, into: planes) }
    }
    return (0..<3).map { Array(bytes[ends[$0]..<ends[$0 + 1]]) }
  }

  /// Relative squared error on a normal distribution. Ranges as a numpy model of the same rule gives them
  /// (0.1075, 0.0202, 0.0049, each within a few percent); the search must be well below.
  @Test(arguments: [(2, 0.1075, 0.09), (3, 0.0202, 0.0185), (4, 0.00488, 0.0045)])
  func errorOnNormalValues(bits: Int, range: Double, search: Double) throws {
    let codec = try BilevelCodec(bits: bits)
    var random = SplitMix64(seed: 21)
    let values = random.normals(128 * 128)
    let byRange = try encode(codec, values, columns: 128, rule: .range)
    let found = relativeError(try codec.values(byRange, rows: 128, columns: 128), values)
    #expect(abs(found / range - 1) < 0.05)
    let bySearch = try encode(codec, values, columns: 128)
    #expect(relativeError(try codec.values(bySearch, rows: 128, columns: 128), values) < search)
  }

  @Test func encodingDoesNotDependOnHowTheTensorIsCut() throws {
    let codec = try BilevelCodec(bits: 3)
    var random = SplitMix64(seed: 22)
    let values = random.normals(48 * 20)
    let whole = try encode(codec, values, columns: 20)
    let parts = try [0..<320, 320..<960].map { try encode(codec, Array(values[$0]), columns: 20) }
    #expect(whole == (0..<3).map { parts[0][$0] + parts[1][$0] })
  }

  @Test func constantAndEmptyRowsDecodeToThemselves() throws {
    let codec = try BilevelCodec(bits: 3)
    for constant: Float in [0, 1, -2, 0.125] {
      let values = [Float](repeating: constant, count: 16 * 32)
      let decoded = try codec.values(encode(codec, values, columns: 32), rows: 16, columns: 32)
      #expect(decoded.allSatisfy { abs($0 - constant) <= abs(constant) / 500 })
    }
  }

  @Test func extremesDoNotTrap() throws {
    for arithmetic in BilevelCodec.Arithmetic.allCases {
      let codec = try BilevelCodec(bits: 4, arithmetic: arithmetic)
      for scale: Float in [.leastNonzeroMagnitude, 1e-38, 1e-20, 1e-9, 6e-5, 1e5, 1e20, 3e38] {
        var random = SplitMix64(seed: 23)
        let values = (0..<17 * 19).map { _ in Float.random(in: -1...1, using: &random) * scale }
        for rule in [ScaleRule.search, .range] {
          let planes = try encode(codec, values, columns: 19, rule: rule)
          _ = try codec.values(planes, rows: 17, columns: 19)
        }
      }
    }
  }

  @Test func valuesThatAreNotFiniteAreRefused() throws {
    let codec = try BilevelCodec(bits: 3)
    var values = [Float](repeating: 1, count: 32)
    values[5] = .infinity
    #expect(throws: CodecError.unencodable(codec: "bilevel", element: 5, value: .infinity)) {
      try encode(codec, values, columns: 16)
    }
    #expect(throws: CodecError.rule(codec: "bilevel", rule: .floor)) {
      try encode(codec, [Float](repeating: 1, count: 32), columns: 16, rule: .floor)
    }
  }
}
