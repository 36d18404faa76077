import Testing

@testable import Codecs

/// The worked examples of specs/codecs/mx.md, computed by hand from its tables.
@Suite struct MXGoldenTests {
  @Test func fourBits() throws {
    let encoded = try EncodedTensor(MXCodec(.e2m1), [0.5, -3, 6, -0.0], columns: 4, rule: .floor)
    #expect(encoded.planes == [[0xD1, 0x87], [0x7F]])
    #expect(bits(try encoded.decode()) == bits([0.5, -3, 6, -0.0]))
  }

  @Test func sixBits() throws {
    let encoded = try EncodedTensor(MXCodec(.e2m3), [1, -1, 0.125, 7.5], columns: 4, rule: .floor)
    #expect(encoded.planes == [[0x08, 0x1A, 0x7C], [0x7F]])
    #expect(try encoded.decode() == [1, -1, 0.125, 7.5])
  }

  @Test func eightBits() throws {
    let encoded = try EncodedTensor(MXCodec(.e4m3), [448, -1, 0, 0.001953125], columns: 4, rule: .floor)
    #expect(encoded.planes == [[0x7E, 0xB8, 0x00, 0x01], [0x7F]])
  }

  @Test func theEndsOfTheScale() throws {
    let tensor = EncodedTensor(MXCodec(.e2m1), planes: [[0x71, 0x41], [0, 254]], elements: 4, columns: 2)
    let smallest = Float(sign: .plus, exponent: -128, significand: 1)
    #expect(
      try tensor.decode() == [smallest, 12 * smallest, Float(sign: .plus, exponent: 126, significand: 1), .infinity])
  }

  @Test func bytesPerPlane() throws {
    let codec = MXCodec(.e2m3)
    #expect(codec.alignment(columns: 64) == 32)
    #expect(codec.alignment(columns: 33) == 33)
    #expect(codec.bytes(plane: 0, elements: 66, columns: 33) == 2 * 25)
    #expect(codec.bytes(plane: 1, elements: 66, columns: 33) == 4)
    #expect(codec.bytes(plane: 0, elements: 0, columns: 0) == 0)
    for element in MXElement.allCases {
      #expect(try CodecRegistry.codec(element.rawValue).descriptor.description == element.rawValue)
    }
  }

  @Test func refusesPlanesOfAnotherSize() throws {
    let tensor = EncodedTensor(MXCodec(.e2m1), planes: [[0, 0], [0]], elements: 5, columns: 5)
    let expected = CodecError.planeSize(codec: "mxfp4", plane: .codes, expected: 3, found: 2)
    #expect(throws: expected) { try tensor.decode() }
    #expect(throws: expected) { try tensor.decodeReference() }
  }
}
