import TestSupport
import Testing

@testable import Codecs

@Suite struct NVFP4KernelTests {
  static let codecs = NVFP4Codec.Global.allCases.flatMap { global in
    NVFP4Codec.Zero.allCases.map { NVFP4Codec(global: global, zero: $0) }
  }

  /// Every code under every scale byte but NaN, in whole blocks and in short ones, under several factors.
  @Test(arguments: codecs, [16, 21])
  func decodesEveryCodeAndScaleLikeTheReference(codec: NVFP4Codec, columns: Int) throws {
    var random = SplitMix64(seed: UInt64(columns))
    let elements = columns * 254 * 16
    let codes = (0..<codec.bytes(plane: 0, elements: elements, columns: columns)).map { _ in
      UInt8.random(in: 0...255, using: &random)
    }
    let numbers = (0...255).map { UInt8($0) }.filter { $0 & 0x7F != 0x7F }
    let scales = (0..<codec.bytes(plane: 1, elements: elements, columns: columns)).map { numbers[$0 % 254] }
    for factor: Float in [1, 0.0123, 1.1e-30, 3e33] {
      let planes = [codes, scales] + (codec.global == .none ? [] : [bytes([factor])])
      let tensor = EncodedTensor(codec, planes: planes, elements: elements, columns: columns)
      let expected = try tensor.decodeReference()
      #expect(bits(try tensor.decode()) == bits(expected))
      #expect(try tensor.decodeBF16() == expected.map(\.roundedToBF16))
    }
  }

  @Test(arguments: codecs, [ScaleRule.search, .absmax])
  func encodesLikeTheReference(codec: NVFP4Codec, rule: ScaleRule) throws {
    var random = SplitMix64(seed: 11)
    for columns in [64, 45] {
      for power in [-149, -120, -10, 0, 100] {
        var values = weights(columns * 48, seed: 5)
        for index in values.indices {
          if index % 11 == 0 { values[index] = index % 2 == 0 ? -0.0 : 0 }
          if index % 7 == 0 { values[index] = Float(Int.random(in: -16...16, using: &random)) / 4 }
          let block = -(index / columns) / 2
          values[index] *= Float(sign: .plus, exponent: max(power + block, -149), significand: 1)
        }
        let fast = try EncodedTensor(codec, values, columns: columns, rule: rule)
        let plain = try EncodedTensor(codec, values, columns: columns, rule: rule, by: codec.encodeReference)
        #expect(fast.planes == plain.planes)
      }
    }
  }

  @Test func theLargestFiniteNumbersStayFinite() throws {
    for global in NVFP4Codec.Global.allCases where global != .none {
      let codec = NVFP4Codec(global: global)
      let tensor = try EncodedTensor(codec, [.greatestFiniteMagnitude, -.greatestFiniteMagnitude, 1, 0], columns: 4)
      #expect(try tensor.decode().allSatisfy(\.isFinite))
    }
  }

  @Test func searchBeatsTheNearestScale() throws {
    let values = weights(32 * 4096, seed: 1)
    let best = relativeError(try EncodedTensor(NVFP4Codec(), values, columns: 4096).decode(), values)
    let nearest = relativeError(
      try EncodedTensor(NVFP4Codec(), values, columns: 4096, rule: .absmax).decode(), values)
    #expect(best < nearest * 0.9)
    #expect(best < 0.0075)
  }

  @Test func refusesWhatItCantHold() throws {
    let codec = NVFP4Codec()
    for (index, value) in [(0, Float.infinity), (33, -.infinity), (70, .nan)] {
      var values = weights(96, seed: 1)
      values[index] = value
      let error = #expect(throws: CodecError.self) { try EncodedTensor(codec, values, columns: 48) }
      guard case .unencodable(_, index, _) = error else {
        Issue.record("\(String(describing: error))")
        continue
      }
    }
    #expect(throws: CodecError.rule(codec: "\(codec.descriptor)", rule: .floor)) {
      try EncodedTensor(codec, [1, 2], columns: 2, rule: .floor)
    }
  }

  @Test(arguments: [UInt8(0x7F), 0xFF]) func refusesScalesThatAreNaN(byte: UInt8) throws {
    let tensor = EncodedTensor(
      NVFP4Codec(global: .none), planes: [[UInt8](repeating: 0x22, count: 16), [0x38, byte]], elements: 32,
      columns: 32)
    let expected = CodecError.value(
      codec: "nvfp4:global=none,zero=signed", plane: .scales, offset: 1, reason: "the scale is NaN")
    #expect(throws: expected) { try tensor.decode() }
    #expect(throws: expected) { try tensor.decodeReference() }
    #expect(throws: expected) { try tensor.decodeBF16() }
  }

  @Test(arguments: [(NVFP4Codec.Global.divide, Float(0)), (.multiply, .nan), (.multiply, .infinity), (.absmax, 1e38)])
  func refusesFactorsWithoutFiniteScales(global: NVFP4Codec.Global, factor: Float) throws {
    let tensor = EncodedTensor(
      NVFP4Codec(global: global), planes: [[0x22], [0x38], bytes([factor])], elements: 2, columns: 2)
    if factor == 1e38 {
      #expect(try tensor.decode().allSatisfy(\.isFinite))
    } else {
      #expect(throws: CodecError.self) { try tensor.decode() }
      #expect(throws: CodecError.self) { try tensor.decodeReference() }
    }
  }
}
