import TestSupport
import Testing

@testable import Codecs

@Suite struct NormalFloatKernelTests {
  @Test(arguments: Table4.allCases, [nil, 3, 256])
  func encodesAndDecodesLikeTheReference(table: Table4, second: Int?) throws {
    for (block, count) in [(32, 32 * 7), (64, 1001), (128, 130), (64, 1), (4096, 5000)] {
      let codec = try NormalFloatCodec(table, block: block, second: second)
      var values = weights(count, seed: UInt64(count))
      for index in 0..<min(block, count / 2) { values[index] = index % 2 == 0 ? 0 : -0.0 }
      let fast = try EncodedTensor(codec, values, columns: count)
      let plain = try EncodedTensor(codec, values, columns: count, by: codec.encodeReference)
      #expect(fast.planes == plain.planes)
      let expected = try fast.decodeReference()
      #expect(bits(try fast.decode()) == bits(expected))
      #expect(try fast.decodeBF16() == expected.map(\.roundedToBF16))
    }
  }

  /// Each code's value is its own nearest, so that encoding what was decoded gives the same bytes.
  @Test(arguments: Table4.allCases) func encodingDecodedValuesGivesTheSameBytes(table: Table4) throws {
    let codec = try NormalFloatCodec(table)
    let first = try EncodedTensor(codec, weights(64 * 100, seed: 4), columns: 640)
    let second = try EncodedTensor(codec, try first.decode(), columns: 640)
    #expect(second.planes == first.planes)
  }

  /// The worked example of specs/codecs/normalfloat.md.
  @Test func workedExample() throws {
    let encoded = try EncodedTensor(try NormalFloatCodec(.nf4), [0.5, -1, 2, 0, 0.1], columns: 5)
    #expect(encoded.planes == [[0xA2, 0xF7, 0x80], bytes([2])])
    #expect(try encoded.decode() == [0.246112302 * 2, -0.525073051 * 2, 2, 0, 0.0795802996 * 2])
  }

  /// Spans that are encoded apart, with the statistics of the whole, give the bytes of the whole.
  @Test func spansGiveTheBytesOfTheWhole() throws {
    let codec = try NormalFloatCodec(.nf4, block: 64, second: 2)
    let values = weights(128 * 5 + 70, seed: 8)
    let whole = try EncodedTensor(codec, values, columns: values.count)
    let spans = stride(from: 0, to: values.count, by: 128).map { Array(values[$0..<min($0 + 128, values.count)]) }
    var statistic = TensorStatistic([], merge: .sum)
    for span in spans {
      statistic.append(try span.withUnsafeBufferPointer { try codec.gather($0, columns: 1, rule: .search, after: []) })
    }
    var joined: [[UInt8]] = [[], [], [], []]
    for span in spans {
      let encoded = try EncodedTensor(codec, span, columns: span.count) { values, columns, rule, planes in
        try codec.encode(values, columns: columns, rule: rule, statistics: [statistic], into: planes)
      }
      for plane in 0..<3 { joined[plane] += encoded.planes[plane] }
      joined[3] = encoded.planes[3]
    }
    for plane in 0..<4 { #expect(joined[plane] == whole.planes[plane], "\(plane)") }
  }

  @Test func refusesScalesThatAreNotFinite() throws {
    let tensor = EncodedTensor(
      try NormalFloatCodec(.nf4), planes: [[0x12], bytes([.infinity])], elements: 2, columns: 2)
    #expect(throws: CodecError.self) { try tensor.decode() }
    #expect(throws: CodecError.self) { try tensor.decodeReference() }
    #expect(throws: CodecError.self) { try EncodedTensor(try NormalFloatCodec(.nf4), [1, .nan], columns: 2) }
  }
}
