import Testing

@testable import Codecs

@Suite struct MXEncodeTests {
  @Test(arguments: MXElement.allCases, [ScaleRule.search, .floor, .even, .ceil])
  func encodingDecodedValuesChangesNothing(element: MXElement, rule: ScaleRule) throws {
    let codec = MXCodec(element)
    for columns in [96, 50] {
      let first = try EncodedTensor(codec, weights(columns * 16, seed: 3), columns: columns, rule: rule)
      let values = try first.decode()
      let second = try EncodedTensor(codec, values, columns: columns, rule: rule)
      #expect(bits(try second.decode()) == bits(values))
    }
  }

  @Test func searchReachesTheReferenceError() throws {
    let values = weights(32 * 8192, seed: 1)
    let best = try EncodedTensor(MXCodec(.e2m1), values, columns: 32 * 64)
    let floor = try EncodedTensor(MXCodec(.e2m1), values, columns: 32 * 64, rule: .floor)
    #expect(relativeError(try best.decode(), values) < 0.0126)
    #expect((0.0128..<0.0135).contains(relativeError(try floor.decode(), values)))
  }
}
