import Codecs
import Tensors
import TestSupport
import Testing

@Suite struct TernaryCodecTests {
  static let codecs: [TernaryCodec] = [(1, ScalarFloat.f32), (4, .f16), (5, .bf16), (64, .f16), (67, .f32)].flatMap {
    (group, scale) in
    TernaryCodec.Packing.allCases.compactMap { try? TernaryCodec(group: group, scale: scale, packing: $0) }
  }

  static func encode(_ values: [Float], _ codec: TernaryCodec, rule: ScaleRule = .search) throws -> [[UInt8]] {
    let sizes = (0..<2).map { codec.bytes(plane: $0, elements: values.count, columns: values.count) }
    var codes = [UInt8](repeating: 0xAA, count: sizes[0])
    var scales = [UInt8](repeating: 0xAA, count: sizes[1])
    try codes.withUnsafeMutableBytes { codes in
      try scales.withUnsafeMutableBytes { scales in
        try values.withUnsafeBufferPointer {
          try codec.encode($0, columns: values.count, rule: rule, into: [codes, scales])
        }
      }
    }
    return [codes, scales]
  }

  static func decode(_ planes: [[UInt8]], count: Int, _ codec: TernaryCodec, reference: Bool) throws -> [Float] {
    var output = [Float](repeating: .nan, count: count)
    try planes[0].withUnsafeBytes { codes in
      try planes[1].withUnsafeBytes { scales in
        try output.withUnsafeMutableBufferPointer { out in
          let span = EncodedSpan(planes: [codes, scales], elements: count, columns: count)
          try reference ? codec.decodeReference(span, into: out) : codec.decode(span, into: out)
        }
      }
    }
    return output
  }

  @Test(arguments: codecs) func roundTrips(_ codec: TernaryCodec) throws {
    var random = SplitMix64(seed: 7)
    for count in [0, 1, 63, 64, 65, 200] {
      let values = (0..<count).map { _ in Float(random.normal()) }
      let planes = try Self.encode(values, codec)
      let decoded = try Self.decode(planes, count: count, codec, reference: false)
      #expect(try Self.decode(planes, count: count, codec, reference: true) == decoded)
      #expect(try Self.encode(decoded, codec) == planes, "a decoded tensor encodes to the same bytes")
    }
  }

  @Test func golden() throws {
    // Scale (3 + 2.75 + 2.5) / 3 = 2.75; codes + - 0 0 +, 0 0 and the digits of base 3: 2 0 1 1 2.
    let values: [Float] = [3, -2.75, 0.25, 0, 2.5, 0.5, -0.5]
    let base3 = try Self.encode(values, TernaryCodec(group: 7))
    let base3Planes: [[UInt8]] = [[200, 4], [0x80, 0x41]]
    #expect(base3 == base3Planes)
    let bits2 = try Self.encode(values, TernaryCodec(group: 7, packing: .bits2))
    let bits2Planes: [[UInt8]] = [[0b00_00_11_01, 0b00_00_00_01], [0x80, 0x41]]
    #expect(bits2 == bits2Planes)
    let widest = try Self.encode(values, TernaryCodec(group: 7, scale: .f32), rule: .absmax)
    let decoded = try Self.decode(widest, count: 7, TernaryCodec(group: 7, scale: .f32), reference: true)
    let meant: [Float] = [3, -3, 0, 0, 3, 0, 0]
    #expect(decoded == meant)
  }

  /// No other scale and codes have less error: against every subset of signs by brute force over magnitudes.
  @Test func searchFindsTheLeastError() throws {
    var random = SplitMix64(seed: 9)
    let codec = try TernaryCodec(group: 8, scale: .f32)
    for _ in 0..<50 {
      let values = (0..<8).map { _ in Float(random.normal()) }
      let decoded = try Self.decode(Self.encode(values, codec), count: 8, codec, reference: true)
      func error(_ scale: Float) -> Float {
        values.reduce(0) { $0 + min($1 * $1, (abs($1) - scale) * (abs($1) - scale)) }
      }
      let found = zip(values, decoded).reduce(Float(0)) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
      let best = stride(from: Float(0), to: 4, by: 0.001).map(error).min() ?? 0
      #expect(found <= best * 1.0001 + 1e-6)
    }
  }

  @Test func refusesEveryByteWithoutCodes() throws {
    for packing in TernaryCodec.Packing.allCases {
      let codec = try TernaryCodec(group: packing == .base3 ? 5 : 4, scale: .f16, packing: packing)
      for byte in 0...255 {
        let digits = stride(from: 0, to: 8, by: 2).map { (byte >> $0) & 3 }
        let valid = packing == .base3 ? byte < 243 : !digits.contains(2)
        for reference in [false, true] {
          let decoded = try? Self.decode([[UInt8(byte)], [0, 0x3C]], count: codec.group, codec, reference: reference)
          #expect((decoded != nil) == valid)
        }
      }
    }
  }

  @Test func refusesPaddingAndScales() throws {
    let codec = try TernaryCodec(group: 2)
    #expect(throws: CodecError.self) { try Self.decode([[9], [0, 0x3C]], count: 2, codec, reference: false) }
    #expect(throws: CodecError.self) { try Self.decode([[9], [0, 0x3C]], count: 2, codec, reference: true) }
    for scale: [UInt8] in [[0, 0x7C], [1, 0x7C], [0, 0xBC]] {
      #expect(throws: CodecError.self) { try Self.decode([[4], scale], count: 2, codec, reference: false) }
      #expect(throws: CodecError.self) { try Self.decode([[4], scale], count: 2, codec, reference: true) }
    }
    for value in [Float.nan, .infinity, 70000] {
      #expect(throws: CodecError.self) { try Self.encode([value, value], codec) }
    }
    #expect(throws: CodecError.self) { try Self.encode([1, 1], codec, rule: .range) }
    for text in ["ternary:group=0", "ternary:pack=base4", "ternary:scale=F64"] {
      #expect(throws: CodecError.self) { try CodecRegistry.codec(text) }
    }
  }
}
