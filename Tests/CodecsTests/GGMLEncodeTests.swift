import ByteIO
import GGUF
import TestSupport
import Testing

@testable import Codecs

@Suite struct GGMLEncodeTests {
  static let types = GGMLType.allCases.filter(\.isQuantizable)

  @Test func inputsAreThoseOfTheGoldens() {
    #expect(GGMLGolden.digest(GGMLGolden.values) == GGMLGolden.digests["input values 0"])
    #expect(GGMLGolden.digest(GGMLGolden.importance) == GGMLGolden.digests["input importance 0"])
  }

  @Test(arguments: types)
  func bytesAreThoseOfGGML(type: GGMLType) throws {
    let codec = try GGMLCodec(type)
    try compare(codec, kind: "encode") { try codec.encodeReference($0, columns: $1, rule: $2, into: $3) }
    try compare(codec, kind: "encode") { try codec.encode($0, columns: $1, rule: $2, into: $3) }
  }

  @Test(arguments: types.filter(\.usesImportance))
  func bytesWithImportanceAreThoseOfGGML(type: GGMLType) throws {
    let codec = try GGMLCodec(type)
    let importance = GGMLGolden.importance
    try compare(codec, kind: "importance") {
      try codec.encode($0, columns: $1, rule: $2, importance: importance, into: $3)
    }
    try compare(codec, kind: "importance") {
      try codec.encodeReference($0, columns: $1, rule: $2, importance: importance, into: $3)
    }
  }

  private func compare(_ codec: GGMLCodec, kind: String, by encode: @escaping EncodedTensor.Encode) throws {
    let columns = GGMLGolden.columns
    let encoded = try EncodedTensor(codec, GGMLGolden.values, columns: columns, rule: .compatible, by: encode)
    let size = columns / codec.type.blockElements * codec.type.blockBytes
    #expect(encoded.planes[0].count == 16 * size)
    for row in 0..<16 {
      let expected = GGMLGolden.digests["\(kind) \(codec.type.name) \(row)"]
      let found = Array(encoded.planes[0][row * size..<(row + 1) * size])
      #expect(GGMLGolden.digest(found) == expected, "\(codec.type.name) row \(row)")
    }
  }

  @Test(arguments: types.filter { $0.blocksEncoder != nil })
  func kernelsAreEqualToTheReference(type: GGMLType) throws {
    let codec = try GGMLCodec(type)
    var random = SplitMix64(seed: UInt64(type.rawValue) + 100)
    for spread in [Float(1), 1e-3, 1e-6, 1e-18] {
      let values = (0..<16384).map { index in
        let scale = index % 4096 < 2048 ? 0.02 : spread.squareRoot() * Float(index / 16 % 7)
        return Float(random.normal()) * scale + (index % 8192 < 1024 ? 0.1 : 0)
      }
      let fast = try EncodedTensor(codec, values, columns: 4096, rule: .compatible)
      let reference = try EncodedTensor(codec, values, columns: 4096, rule: .compatible) {
        try codec.encodeReference($0, columns: $1, rule: $2, into: $3)
      }
      #expect(fast.planes == reference.planes)
    }
  }

  /// Kernels take eight blocks at a time. Blocks whose peak has both signs, of zeros and near the ends of F32 are among
  /// them, at each place and in runs of each length.
  @Test(arguments: [GGMLType.q4_0, .q5_0, .q8_0])
  func runsOfBlocksAreEncodedLikeTheReference(type: GGMLType) throws {
    let codec = try GGMLCodec(type)
    var random = SplitMix64(seed: 40)
    for blocks in 1...25 {
      let values = (0..<blocks).flatMap { block in
        let unit: Float = block % 13 == 12 ? 0 : block % 11 == 10 ? 0x1p-120 : 0.125
        return (0..<32).map { _ in Float(Int.random(in: -4...4, using: &random)) * unit }
      }
      let fast = try EncodedTensor(codec, values, columns: values.count, rule: .compatible)
      let reference = try EncodedTensor(codec, values, columns: values.count, rule: .compatible) {
        try codec.encodeReference($0, columns: $1, rule: $2, into: $3)
      }
      #expect(fast.planes == reference.planes, "\(blocks) blocks")
    }
  }

  @Test(
    .enabled(if: Fixtures.hasShared, "shared/ is not beside the checkout"),
    arguments: ["Q4_0", "Q8_0", "MXFP4_MOE", "Q4_K"])
  func aModelIsQuantizedAsByLlamaQuantize(name: String) throws {
    let source = try GGMLFixture.file("tiny-bf16.gguf")
    let target = try GGMLFixture.file("tiny-\(name).gguf")
    var quantized = 0
    for tensor in target.tensors where tensor.type.plainDType == nil {
      let original = try #require(source.header.tensor(named: tensor.name))
      let dtype = try #require(original.type.plainDType)
      let values = GGMLFixture.floats(try GGMLFixture.bytes(original, of: source), dtype)
      let found = try EncodedTensor(
        try GGMLCodec(tensor.type), values, columns: tensor.shape.columns, rule: .compatible)
      #expect(found.planes[0] == (try GGMLFixture.bytes(tensor, of: target)), "\(tensor.name)")
      quantized += 1
    }
    #expect(quantized == 16)
  }

  /// The example of specs/codecs/ggml.md.
  @Test(arguments: [
    (GGMLType.q4_0, "c0b46d6d5c5c5b4b4b3a3a39292818180707"),
    (.q8_0, "ca24b0b6bdc4cbd1d8dfe5ecf3f900070d141b21282f353c434a50575e646b72787f"),
    (.mxfp4, "7e2d2d3c3c4c4b4b5a5a59596060606161"),
  ])
  func theExampleOfTheSpecification(type: GGMLType, hex: String) throws {
    let values = (0..<32).map { Float($0 - 12) / 8 }
    let encoded = try EncodedTensor(try GGMLCodec(type), values, columns: 32, rule: .compatible)
    #expect(hexadecimal(encoded.planes[0]) == hex)
  }
}
