import TestSupport
import Testing

@testable import Codecs

@Suite struct GGMLSearchTests {
  static let types = GGMLType.allCases.filter(\.isSearchable)

  @Test(arguments: types)
  func noBlockGetsWorseAndManyGetBetter(type: GGMLType) throws {
    let codec = try GGMLCodec(type)
    let values = weights(256 * 8, seed: 5)
    let compatible = try EncodedTensor(codec, values, columns: 256, rule: .compatible).decode()
    let searched = try EncodedTensor(codec, values, columns: 256, rule: .search).decode()
    for start in stride(from: 0, to: values.count, by: type.blockElements) {
      let block = start..<start + type.blockElements
      let before = relativeError(Array(compatible[block]), Array(values[block]))
      #expect(relativeError(Array(searched[block]), Array(values[block])) <= before * 1.000001)
    }
    #expect(relativeError(searched, values) < 0.995 * relativeError(compatible, values))
  }

  /// Those whose scales are searched by lanes.
  @Test(arguments: [GGMLType.q2_K, .q3_K, .q4_K, .q5_K, .q6_K])
  func bothFormsAreEqual(type: GGMLType) throws {
    let codec = try GGMLCodec(type)
    let importance = GGMLGolden.importance
    for importance in [nil, importance] {
      let fast = try EncodedTensor(codec, GGMLGolden.values, columns: 512, rule: .search) {
        try codec.encode($0, columns: $1, rule: $2, importance: importance, into: $3)
      }
      let reference = try EncodedTensor(codec, GGMLGolden.values, columns: 512, rule: .search) {
        try codec.encodeReference($0, columns: $1, rule: $2, importance: importance, into: $3)
      }
      #expect(fast.planes == reference.planes)
    }
  }

  @Test func importanceDirectsTheSearch() throws {
    let codec = try GGMLCodec(.q8_0)
    let values = weights(256 * 8, seed: 6)
    let importance = (0..<256).map { $0 % 2 == 0 ? Float(100) : 0.01 }
    func error(_ importance: [Float]?) throws -> Double {
      let decoded = try EncodedTensor(codec, values, columns: 256, rule: .search) {
        try codec.encode($0, columns: $1, rule: $2, importance: importance, into: $3)
      }.decode()
      let even = stride(from: 0, to: values.count, by: 2)
      return relativeError(even.map { decoded[$0] }, even.map { values[$0] })
    }
    #expect(try error(importance) < 0.95 * error(nil))
  }
}
