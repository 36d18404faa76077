import Codecs
import Tensors
import TestSupport
import Testing

@Suite struct PlainCodecTests {
  static let real = DType.allCases.filter { $0 != .c64 }

  private func decode(_ codec: PlainCodec, _ bytes: [UInt8], elements: Int, reference: Bool = false) throws -> [Float] {
    var values = [Float](repeating: 0, count: elements)
    try bytes.withUnsafeBytes { plane in
      let span = EncodedSpan(planes: [plane], elements: elements, columns: elements)
      try values.withUnsafeMutableBufferPointer { output in
        if reference { try codec.decodeReference(span, into: output) } else { try codec.decode(span, into: output) }
      }
    }
    return values
  }

  private func encode(_ codec: PlainCodec, _ values: [Float], rule: ScaleRule = .search) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: codec.bytes(plane: 0, elements: values.count, columns: values.count))
    try values.withUnsafeBufferPointer { values in
      try bytes.withUnsafeMutableBytes { plane in
        try codec.encode(values, columns: values.count, rule: rule, into: [plane])
      }
    }
    return bytes
  }

  @Test(arguments: real) func fastEqualsReferenceAndComesBack(dtype: DType) throws {
    let codec = PlainCodec(dtype)
    var random = SplitMix64(seed: 7)
    let values = (0..<512).map { _ in Float(random.normal() * 40) }
    let bytes = try encode(codec, values)
    let decoded = try decode(codec, bytes, elements: 512)
    #expect(try decode(codec, bytes, elements: 512, reference: true).map(\.bitPattern) == decoded.map(\.bitPattern))
    #expect(try encode(codec, decoded) == bytes)
  }

  @Test func workedExamplesOfTheSpec() throws {
    #expect(try encode(PlainCodec(.f4), [0.5, -6, 1.25, 100]) == [0xF1, 0x72])
    #expect(try encode(PlainCodec(.f6e2m3), [0.125, -7.5, 1, 0.0625]) == [0xC1, 0x8F, 0x00])
    #expect(try encode(PlainCodec(.f8e4m3), [448, 465, -0.001953125, 0.0009765625]) == [0x7E, 0x7E, 0x81, 0x00])
    #expect(try encode(PlainCodec(.bf16), [1.00390625, -2]) == [0x80, 0x3F, 0x00, 0xC0])
    #expect(try decode(PlainCodec(.f4), [0xF1, 0x72], elements: 4) == [0.5, -6, 1, 6])
    #expect(try decode(PlainCodec(.f8e8m0), [0x00, 0x7F, 0x80, 0xFE], elements: 4) == [0x1p-127, 1, 2, 0x1p127])
  }

  @Test func descriptor() throws {
    for dtype in DType.allCases {
      let codec = try CodecRegistry.codec("plain:dtype=\(dtype.rawValue)")
      #expect(codec.descriptor == PlainCodec(dtype).descriptor)
    }
    #expect(try CodecRegistry.codec("plain").descriptor.description == "plain:dtype=F32")
    #expect(throws: CodecError.self) { try CodecRegistry.codec("plain:dtype=F7") }
  }

  @Test func refusals() throws {
    let rule = CodecError.rule(codec: "plain", rule: .floor)
    #expect(throws: rule) { try encode(PlainCodec(.bf16), [1], rule: .floor) }
    #expect(throws: CodecError.planeSize(codec: "plain", plane: .codes, expected: 4, found: 3)) {
      try decode(PlainCodec(.bf16), [0, 0, 0], elements: 2)
    }
    #expect(throws: CodecError.value(codec: "plain", plane: .codes, offset: 0, reason: "C64 has no conversion to F32"))
    {
      try decode(PlainCodec(.c64), [UInt8](repeating: 0, count: 16), elements: 2)
    }
    #expect(throws: CodecError.self) { try PlainCodec(.f6e2m3).check(#require(Shape([3, 2]))) }
    #expect(throws: Never.self) { try PlainCodec(.f6e2m3).check(#require(Shape([2, 2]))) }
    for dtype in [DType.f4, .f6e2m3, .f6e3m2, .i8, .u64, .bool] {
      do {
        _ = try encode(PlainCodec(dtype), [1, .nan, 0, 0])
        Issue.record("\(dtype) took a NaN")
      } catch CodecError.unencodable(let codec, let element, let value) {
        #expect(codec == "plain" && element == 1 && value.isNaN)
      }
    }
  }
}
