import Testing

@testable import Codecs

@Suite struct IntegerEncodeTests {
  /// The range rule of the textbook: (2 - -1.2) / 15 = 0.2133, and 2 / 0.2133 = 9.4 is clipped to 7.
  @Test func rangeRuleOfTheTextbook() throws {
    let codec = try IntegerCodec(bits: 4, grouping: .elements(3), scale: .float(.f32))
    let encoded = try EncodedTensor(codec, [1.5, -1.2, 2.0], columns: 3, rule: .range)
    #expect(encoded.planes[0] == [0xA7, 0x07])
    let scale = encoded.planes[1].withUnsafeBytes { ScalarFloat.f32.load($0, 0) }
    #expect(abs(scale - 0.2133) < 0.0001)
  }

  @Test(arguments: IntegerCodec.widths, [IntegerCodec.Zero.none, .code])
  func encodingDecodedValuesChangesNothing(bits width: Int, zero: IntegerCodec.Zero) throws {
    for scale in ScalarFloat.allCases {
      for grouping in [IntegerCodec.Grouping.elements(64), .elements(20), .row] {
        let codec = try IntegerCodec(bits: width, grouping: grouping, scale: .float(scale), zero: zero)
        let first = try EncodedTensor(codec, weights(192 * 8, seed: 7), columns: 192)
        let values = try first.decode()
        let second = try EncodedTensor(codec, values, columns: 192)
        #expect(bits(try second.decode()) == bits(values), "\(codec.descriptor)")
      }
    }
  }

  @Test func searchReachesTheReferenceError() throws {
    let values = weights(64 * 4096, seed: 1)
    let encoded = try EncodedTensor(IntegerCodec(bits: 4), values, columns: 64 * 64)
    #expect(relativeError(try encoded.decode(), values) < 0.0093)
  }
}
