import TestSupport
import Testing

@testable import Codecs

@Suite struct MXKernelTests {
  /// Every code under every scale byte but NaN, in whole blocks and in short ones.
  @Test(arguments: MXElement.allCases, [32, 37])
  func decodesEveryCodeAndScaleLikeTheReference(element: MXElement, columns: Int) throws {
    let codec = MXCodec(element)
    var random = SplitMix64(seed: UInt64(columns))
    let elements = columns * 255 * 16
    let layout = codec.layout
    var codes = [UInt8](repeating: 0, count: codec.bytes(plane: 0, elements: elements, columns: columns))
    for index in codes.indices { codes[index] = UInt8.random(in: 0...255, using: &random) }
    let scales = (0..<codec.bytes(plane: 1, elements: elements, columns: columns)).map { UInt8($0 % 255) }
    #expect(layout.alignment(columns: columns) == columns)
    let tensor = EncodedTensor(codec, planes: [codes, scales], elements: elements, columns: columns)
    let expected = try tensor.decodeReference()
    #expect(bits(try tensor.decode()) == bits(expected))
    #expect(try tensor.decodeBF16() == expected.map(\.roundedToBF16))
  }

  @Test(arguments: MXElement.allCases, [ScaleRule.search, .floor, .even, .ceil])
  func encodesLikeTheReference(element: MXElement, rule: ScaleRule) throws {
    let codec = MXCodec(element)
    var random = SplitMix64(seed: 11)
    for columns in [64, 45] {
      var values = weights(columns * 64, seed: 5)
      for index in values.indices {
        // All magnitudes, by blocks, down to subnormal numbers; zeros of both signs; exact ties.
        let power = Int(Int.random(in: -150...127, using: &random) / 8) * 8
        let block = Float(sign: .plus, exponent: index / columns % 2 == 0 ? power : -index / columns, significand: 1)
        if index % 11 == 0 { values[index] = index % 2 == 0 ? -0.0 : 0 }
        if index % 7 == 0 { values[index] = Float(Int.random(in: -16...16, using: &random)) / 4 }
        values[index] *= block
      }
      values.replaceSubrange(0..<columns, with: [Float](repeating: -0.0, count: columns))
      let fast = try EncodedTensor(codec, values, columns: columns, rule: rule)
      let plain = try EncodedTensor(codec, values, columns: columns, rule: rule, by: codec.encodeReference)
      #expect(fast.planes == plain.planes)
    }
  }

  @Test func refusesWhatItCantHold() throws {
    let codec = MXCodec(.e2m1)
    for (index, value) in [(0, Float.infinity), (33, -.infinity), (70, .nan)] {
      var values = weights(96, seed: 1)
      values[index] = value
      for encode in [codec.encode, codec.encodeReference] {
        let error = #expect(throws: CodecError.self) { try EncodedTensor(codec, values, columns: 48, by: encode) }
        guard case .unencodable(_, let element, _) = error else {
          Issue.record("\(String(describing: error))")
          continue
        }
        #expect(element == index)
      }
    }
    #expect(throws: CodecError.rule(codec: "mxfp4", rule: .absmax)) {
      try EncodedTensor(codec, [1, 2], columns: 2, rule: .absmax)
    }
  }

  @Test func refusesTheScaleThatIsNaN() throws {
    let tensor = EncodedTensor(
      MXCodec(.e2m1), planes: [[UInt8](repeating: 0x22, count: 32), [127, 0xFF]], elements: 64, columns: 64)
    let expected = CodecError.value(codec: "mxfp4", plane: .scales, offset: 1, reason: "the scale 0xFF is NaN")
    #expect(throws: expected) { try tensor.decode() }
    #expect(throws: expected) { try tensor.decodeReference() }
    #expect(throws: expected) { try tensor.decodeBF16() }
  }
}
