import Tensors
import TestSupport
import Testing

@testable import Codecs

/// The error table of specs/codecs/ggml.md.
@Suite struct GGMLFaultTests {
  @Test(arguments: GGMLType.allCases.filter { $0.plainDType != nil })
  func aPlainTypeIsNotACodec(type: GGMLType) {
    #expect(throws: CodecError.self) { try GGMLCodec(type) }
  }

  @Test(arguments: ["ggml", "ggml:type=Q4_9", "ggml:type=Q4_0,bits=4"])
  func aDescriptorNamesATypeAndNothingElse(text: String) {
    #expect(throws: CodecError.self) { try CodecRegistry.codec(text) }
  }

  @Test func descriptorsAreCanonical() throws {
    for type in GGMLType.allCases where type.plainDType == nil {
      let codec = try CodecRegistry.codec("ggml:type=\(type.name.lowercased())")
      #expect("\(codec.descriptor)" == "ggml:type=\(type.name)")
    }
  }

  @Test func aRowIsWholeBlocks() throws {
    let codec = try GGMLCodec(.q4_K)
    #expect(throws: Never.self) { try codec.check(try #require(Shape([3, 512]))) }
    #expect(throws: CodecError.self) { try codec.check(try #require(Shape([512, 3]))) }
    #expect(throws: CodecError.self) { try codec.check(try #require(Shape([1, Int.max / 256 * 256]))) }
  }

  @Test(arguments: [31, 33])
  func aPlaneHasItsSize(bytes: Int) throws {
    let encoded = EncodedTensor(
      try GGMLCodec(.q8_0), planes: [[UInt8](repeating: 0, count: bytes)], elements: 32, columns: 32)
    #expect(throws: CodecError.planeSize(codec: "ggml:type=Q8_0", plane: .codes, expected: 34, found: bytes)) {
      try encoded.decode()
    }
  }

  @Test func aSpanIsWholeBlocks() throws {
    let encoded = EncodedTensor(try GGMLCodec(.q8_0), planes: [[]], elements: 31, columns: 31)
    #expect(throws: CodecError.self) { try encoded.decode() }
  }

  @Test func anMXFP4ScaleOfNaNIsRefused() throws {
    var plane = [UInt8](repeating: 1, count: 51)
    plane[34] = 0xFF
    let encoded = EncodedTensor(try GGMLCodec(.mxfp4), planes: [plane], elements: 96, columns: 96)
    let error = CodecError.value(
      codec: "ggml:type=MXFP4", plane: .codes, offset: 34, reason: "the scale 0xFF is NaN")
    #expect(throws: error) { try encoded.decode() }
    #expect(throws: error) { try encoded.decodeReference() }
  }

  @Test(arguments: GGMLType.allCases.filter(\.isQuantizable))
  func whatIsNotFiniteIsNotEncoded(type: GGMLType) throws {
    let codec = try GGMLCodec(type)
    var values = [Float](repeating: 1, count: 256 * 100)
    values[20001] = -.infinity
    values[20002] = .infinity
    #expect(throws: CodecError.unencodable(codec: "\(codec.descriptor)", element: 20001, value: -.infinity)) {
      try EncodedTensor(codec, values, columns: 256, rule: .compatible)
    }
    values[20001] = .nan
    #expect(throws: CodecError.self) { try EncodedTensor(codec, values, columns: 256, rule: .compatible) }
    #expect(throws: CodecError.self) {
      try EncodedTensor(codec, values, columns: 256, rule: .compatible) {
        try codec.encodeReference($0, columns: $1, rule: $2, importance: nil, into: $3)
      }
    }
  }

  @Test(arguments: GGMLType.allCases.filter { $0.isQuantizable && !$0.halfOffsets.isEmpty })
  func aScaleBeyondF16IsNotWritten(type: GGMLType) throws {
    let codec = try GGMLCodec(type)
    var values = (0..<1024).map { Float($0 % 7) - 3 }
    for index in 512..<1024 { values[index] *= 1e30 }
    values[777] = -1e35
    #expect(throws: CodecError.unencodable(codec: "\(codec.descriptor)", element: 777, value: -1e35)) {
      let start = 777 / type.blockElements * type.blockElements
      for index in 512..<start { values[index] = 0 }
      return try EncodedTensor(codec, values, columns: 256, rule: .compatible)
    }
  }

  /// ggml's own exponent for such blocks is one that it refuses to read.
  @Test func tinyBlocksOfMXFP4HaveAScaleThatCanBeRead() throws {
    for magnitude in [Float(0x1p-126), 0x1.8p-126, 0x1.fffffep-126] {
      let values = (0..<32).map { $0 % 2 == 0 ? magnitude : -magnitude / 4 }
      let encoded = try EncodedTensor(try GGMLCodec(.mxfp4), values, columns: 32, rule: .compatible)
      #expect(encoded.planes[0][0] == 0)
      #expect(relativeError(try encoded.decode(), values) < 0.05)
    }
  }

  @Test(arguments: [GGMLType.q8_1, .q8_K, .iq2_xxs, .iq1_m])
  func typesWithoutAnEncoderSaySo(type: GGMLType) throws {
    let codec = try GGMLCodec(type)
    #expect(throws: CodecError.descriptor("\(codec.descriptor)", reason: "there is no encoder for this type")) {
      try EncodedTensor(codec, [Float](repeating: 0, count: 256), columns: 256, rule: .compatible)
    }
  }

  @Test(arguments: [ScaleRule.search, .absmax, .range, .floor, .even, .ceil])
  func otherRulesAreRefused(rule: ScaleRule) throws {
    let codec = try GGMLCodec(rule == .search ? .tq2_0 : .q4_K)
    #expect(throws: CodecError.rule(codec: "\(codec.descriptor)", rule: rule)) {
      try EncodedTensor(codec, [Float](repeating: 0, count: 256), columns: 256, rule: rule)
    }
  }

  @Test func importanceIsFiniteAndOneAColumn() throws {
    let codec = try GGMLCodec(.q4_0)
    func encode(_ importance: [Float]) throws {
      _ = try EncodedTensor(codec, [Float](repeating: 1, count: 128), columns: 64, rule: .compatible) {
        try codec.encode($0, columns: $1, rule: $2, importance: importance, into: $3)
      }
    }
    var importance = [Float](repeating: 1, count: 64)
    #expect(throws: Never.self) { try encode(importance) }
    #expect(throws: CodecError.self) { try encode([1]) }
    importance[3] = -1
    #expect(throws: CodecError.importance(codec: "ggml:type=Q4_0", column: 3, value: -1)) { try encode(importance) }
    importance[3] = .infinity
    #expect(throws: CodecError.importance(codec: "ggml:type=Q4_0", column: 3, value: .infinity)) {
      try encode(importance)
    }
  }
}
