import ByteIO
import Codecs
import Conversion
import Tensors
import TestSupport
import Testing

/// Every way from one encoding to another.
@Suite struct TranscoderTests {
  private func encoded(_ codec: any Codec, elements: Int, columns: Int, _ bytes: [[UInt8]]) -> EncodedBytes {
    let result = EncodedBytes(codec, elements: elements, columns: columns)
    result.withTargets { for (target, source) in zip($0, bytes) { target.copyBytes(from: source) } }
    return result
  }

  /// Turns a run over, and gives the planes and what it cost.
  private func run(
    _ input: EncodedBytes, from source: any Codec, to target: any Codec, rule: ScaleRule? = nil, measured: Bool = true
  ) throws -> (planes: [[UInt8]], cost: ErrorStatistics) {
    let output = EncodedBytes(target, elements: input.elements, columns: input.columns)
    let transcoder = try Transcoder(from: source, to: target, rule: rule, measured: measured)
    let cost = try input.withSpan { span in try output.withTargets { try transcoder.run(span, into: $0) } }
    return (output.allBytes, cost)
  }

  private func random(_ count: Int, seed: UInt64) -> [UInt8] {
    var random = SplitMix64(seed: seed)
    return (0..<count).map { _ in UInt8.random(in: 0 ... .max, using: &random) }
  }

  private func normals(_ count: Int, seed: UInt64) -> [Float] {
    var random = SplitMix64(seed: seed)
    return (0..<count).map { _ in Float(random.normal() * 0.05) }
  }

  private func bytes<T>(_ values: [T]) -> [UInt8] { values.withUnsafeBytes { Array($0) } }

  @Test(arguments: DType.allCases)
  func theSameEncodingIsCopied(_ dtype: DType) throws {
    let codec = PlainCodec(dtype)
    let input = random(dtype.bytes(elements: 64) ?? 0, seed: 1)
    let transcoder = try Transcoder(from: codec, to: codec, measured: true)
    #expect(transcoder.isCopy)
    let result = try run(encoded(codec, elements: 64, columns: 8, [input]), from: codec, to: codec)
    #expect(result.planes == [input])
    #expect(result.cost == ErrorStatistics())
  }

  @Test func doublesAreRoundedOnce() throws {
    // 1 + 2^-8 + 2^-40: to BF16 directly it rounds up; by way of F32 it would be a tie, and round to even, down.
    let value = 1 + 0x1p-8 + 0x1p-40
    let input = encoded(PlainCodec(.f64), elements: 2, columns: 2, [bytes([value, -value])])
    for measured in [true, false] {
      let result = try run(input, from: PlainCodec(.f64), to: PlainCodec(.bf16), measured: measured)
      #expect(result.planes == [bytes([0x3F81, 0xBF81] as [UInt16])])
    }
  }

  @Test func roundingIsMeasured() throws {
    let values = normals(5000, seed: 3)
    let input = encoded(PlainCodec(.f32), elements: 5000, columns: 100, [bytes(values)])
    let result = try run(input, from: PlainCodec(.f32), to: PlainCodec(.bf16))
    let rounded = result.planes[0].withUnsafeBytes { raw in
      (0..<5000).map { Float(bitPattern: UInt32(raw.loadUnaligned(fromByteOffset: $0 * 2, as: UInt16.self)) << 16) }
    }
    let error = zip(values, rounded).reduce(0.0) { $0 + (Double($1.1) - Double($1.0)) * (Double($1.1) - Double($1.0)) }
    let norm = values.reduce(0.0) { $0 + Double($1) * Double($1) }
    #expect(abs(result.cost.relativeMSE - error / norm) < 1e-12)
    #expect(result.cost.maximumError == zip(values, rounded).map { Double(($1 - $0).magnitude) }.max())
  }

  @Test(arguments: SplitCodec.dtypes)
  func splittingAndJoiningGiveTheBytesBack(_ dtype: DType) throws {
    let (plain, split) = (PlainCodec(dtype), try #require(SplitCodec(dtype)))
    let input = random((dtype.bytes(elements: 1000) ?? 0), seed: 4)
    let apart = try run(encoded(plain, elements: 1000, columns: 10, [input]), from: plain, to: split)
    let back = try run(encoded(split, elements: 1000, columns: 10, apart.planes), from: split, to: plain)
    #expect(back.planes == [input])
    #expect(apart.cost == ErrorStatistics() && back.cost == ErrorStatistics())
    #expect(Transcoder.isExact(from: plain, to: split) && Transcoder.isExact(from: split, to: plain))
  }

  @Test func movingMXFP4ToGGMLAndBackKeepsEveryBit() throws {
    let (mxfp4, ggml) = (try CodecRegistry.codec("mxfp4"), try GGMLCodec(.mxfp4))
    let elements = 32 * 300
    let planes = [random(elements / 2, seed: 5), random(elements / 32, seed: 6)]
    let blocks = try run(encoded(mxfp4, elements: elements, columns: 96, planes), from: mxfp4, to: ggml)
    #expect(blocks.planes[0].count == elements / 32 * 17)
    let back = try run(encoded(ggml, elements: elements, columns: 96, blocks.planes), from: ggml, to: mxfp4)
    #expect(back.planes == planes)
    #expect(blocks.cost == ErrorStatistics())
  }

  @Test func movedCodesDecodeToTheSameValues() throws {
    let (mxfp4, ggml) = (try CodecRegistry.codec("mxfp4"), try GGMLCodec(.mxfp4))
    // Scales that both decode alike: 2^-127 and NaN are the two libraries' own affair.
    let scales = random(64, seed: 8).map { min(max($0, 3), 250) }
    let input = encoded(mxfp4, elements: 2048, columns: 64, [random(1024, seed: 7), scales])
    let blocks = try run(input, from: mxfp4, to: ggml)
    let moved = encoded(ggml, elements: 2048, columns: 64, blocks.planes)
    #expect(try input.values(mxfp4).allFloats == moved.values(ggml).allFloats)
  }

  @Test(arguments: [
    "mxfp4", "mxfp8e4m3", "int8", "int4", "int4:group=row", "int3:group=32", "int2", "nf4", "fp4", "ggml:type=Q8_0",
    "ggml:type=Q4_0",
  ])
  func requantizingIsTheCodecsOwnEncoding(_ descriptor: String) throws {
    let codec = try #require(try CodecRegistry.codec(descriptor) as? any QuantizingCodec)
    // More than one tile, in BF16, whose values are exact in F32.
    let (columns, elements) = (256, 256 * 300)
    let values = normals(elements, seed: 9).map { Float(bitPattern: $0.bitPattern & 0xFFFF_0000) }
    let halves = values.map { UInt16($0.bitPattern >> 16) }
    let result = try run(
      encoded(PlainCodec(.bf16), elements: elements, columns: columns, [bytes(halves)]), from: PlainCodec(.bf16),
      to: codec)
    let expected = EncodedBytes(codec, elements: elements, columns: columns)
    try values.withUnsafeBufferPointer { values in
      try expected.withTargets { try codec.encode(values, columns: columns, rule: codec.defaultRule, into: $0) }
    }
    #expect(result.planes == expected.allBytes)
    let decoded = try expected.values(codec)
    var cost = ErrorStatistics()
    values.withUnsafeBufferPointer { values in decoded.withFloats { cost.add(original: values, decoded: $0) } }
    #expect(abs(result.cost.relativeMSE - cost.relativeMSE) <= 1e-12 * cost.relativeMSE)
    #expect(result.cost.maximumError == cost.maximumError && cost.maximumError > 0)
  }

  @Test func theRuleReachesTheCodec() throws {
    let codec = try #require(try CodecRegistry.codec("mxfp4") as? any QuantizingCodec)
    let values = normals(3200, seed: 10)
    let input = encoded(PlainCodec(.f32), elements: 3200, columns: 32, [bytes(values)])
    for rule in [ScaleRule.floor, .even, .ceil] {
      let expected = EncodedBytes(codec, elements: 3200, columns: 32)
      try values.withUnsafeBufferPointer { values in
        try expected.withTargets { try codec.encode(values, columns: 32, rule: rule, into: $0) }
      }
      let result = try run(input, from: PlainCodec(.f32), to: codec, rule: rule)
      #expect(result.planes == expected.allBytes)
    }
    #expect(throws: CodecError.self) { try run(input, from: PlainCodec(.f32), to: codec, rule: .range) }
  }

  @Test func decodingToBF16IsRoundedDecoding() throws {
    let codec = try CodecRegistry.codec("int4:group=32")
    let values = normals(6400, seed: 12)
    let plain = encoded(PlainCodec(.f32), elements: 6400, columns: 64, [bytes(values)])
    let packed = encoded(codec, elements: 6400, columns: 64, try run(plain, from: PlainCodec(.f32), to: codec).planes)
    let fast = try run(packed, from: codec, to: PlainCodec(.bf16), measured: false)
    let measured = try run(packed, from: codec, to: PlainCodec(.bf16), measured: true)
    #expect(fast.planes == measured.planes)
  }

  @Test func whatCantBeMadeFromFloatsIsRefused() {
    #expect(throws: CodecError.self) {
      try Transcoder(from: PlainCodec(.f32), to: CodecRegistry.codec("split:dtype=BF16"), measured: false)
    }
  }

  @Test func nanIsRefusedByEncodingsWithoutOne() throws {
    let input = encoded(PlainCodec(.f32), elements: 64, columns: 64, [bytes(Array(repeating: Float.nan, count: 64))])
    for descriptor in ["mxfp4", "int4", "nf4"] {
      #expect(throws: CodecError.self) { try run(input, from: PlainCodec(.f32), to: CodecRegistry.codec(descriptor)) }
    }
  }
}
