import Testing

@testable import Codecs

/// The worked examples of specs/codecs/integer.md, computed by hand.
@Suite struct IntegerGoldenTests {
  private func check(
    _ descriptor: String, _ values: [Float], _ planes: [[UInt8]], rule: ScaleRule = .absmax
  ) throws {
    let codec = try #require(try CodecRegistry.codec(descriptor) as? any QuantizingCodec)
    let encoded = try EncodedTensor(codec, values, columns: values.count, rule: rule)
    #expect(encoded.planes == planes)
    #expect(try encoded.decode() == values)
  }

  @Test func symmetric() throws {
    try check("int4:group=4", [0.5, -1.75, 0.25, 1], [[0x92, 0x41], [0x00, 0x34]])
  }

  @Test func zeroPoint() throws {
    try check("int4:group=4,zero=code", [0, 1.5, -0.75, 3], [[0x93, 0xF0], [0x00, 0x34], [3]])
  }

  @Test func bias() throws {
    try check("int4:group=4,zero=F16", [1, 1.25, 2, 4.75], [[0x10, 0xF4], [0x00, 0x34], [0x00, 0x3C]])
  }

  @Test func threeBits() throws {
    try check("int3:group=8,scale=BF16", [3, -3, 2, 1, 0, -1, -2, 3], [[0xAB, 0x82, 0x7B], [0x80, 0x3F]])
  }

  /// Scales 0.25 and 1: the step is 0.75 / 255, the offset 0.25, and codes 0 and 255 give them back.
  @Test func secondLevel() throws {
    let codec = try IntegerCodec(bits: 4, grouping: .elements(2), scale: .quantized(superblock: 2))
    let encoded = try EncodedTensor(codec, [1.75, 0.5, 7, -4], columns: 4, rule: .absmax)
    #expect(encoded.planes == [[0x27, 0xC7], [0, 255], bytes([0.75 / 255, 0.25])])
    #expect(relativeError(try encoded.decode(), [1.75, 0.5, 7, -4]) < 1e-12)
  }

  @Test func descriptors() throws {
    for (text, canonical) in [
      ("int4", "int4:group=64,scale=F16,zero=none"),
      ("int:bits=8,group=row,scale=f32", "int8:group=row,scale=F32,zero=none"),
      ("int2:zero=code,group=column", "int2:group=column,scale=F16,zero=code"),
      ("int3:group=16,second=16,zero=BF16", "int3:group=16,scale=U8,zero=BF16,second=16"),
    ] {
      let codec = try CodecRegistry.codec(text)
      #expect(codec.descriptor.description == canonical)
      #expect(try CodecRegistry.codec(canonical).descriptor.description == canonical)
    }
  }

  @Test(arguments: [
    "int7", "int:bits=7", "int4:group=0", "int4:group=x", "int4:scale=F64", "int4:scale=U8", "int4:second=0",
    "int4:scale=F16,second=8", "int4:group=row,second=8", "int4:zero=one", "int4:size=1",
  ])
  func refusesDescriptors(text: String) {
    #expect(throws: CodecError.self) { try CodecRegistry.codec(text) }
  }

  @Test func scalesThatOverflowOrVanish() throws {
    let codec = try IntegerCodec(bits: 4, grouping: .elements(4))
    #expect(throws: CodecError.unencodable(codec: "\(codec.descriptor)", element: 1, value: -1e30)) {
      try EncodedTensor(codec, [1, -1e30, 0, 0], columns: 4)
    }
    let tiny = try EncodedTensor(codec, [1e-30, 0, 0, -1e-40], columns: 4)
    #expect(tiny.planes == [[0, 0], [1, 0]])
    let zeros = try EncodedTensor(codec, [0, -0.0, 0, 0], columns: 4)
    #expect(zeros.planes == [[0, 0], [0, 0]])
    #expect(bits(try zeros.decode()) == [0, 0, 0, 0])
  }

  @Test(arguments: [[0x00, 0x7C], [0x00, 0xFC], [0x01, 0x7E]] as [[UInt8]])
  func refusesScalesThatAreNotFinite(scale: [UInt8]) throws {
    let codec = try IntegerCodec(bits: 4, grouping: .elements(4))
    let tensor = EncodedTensor(codec, planes: [[0, 0], scale], elements: 4, columns: 4)
    let expected = CodecError.value(
      codec: "\(codec.descriptor)", plane: .scales, offset: 0, reason: "it gives a scale that is not finite")
    #expect(throws: expected) { try tensor.decode() }
    #expect(throws: expected) { try tensor.decodeReference() }
    #expect(throws: expected) { try tensor.decodeBF16() }
  }
}
