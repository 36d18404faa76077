import GGUF
import TestSupport
import Testing

@testable import Codecs

@Suite struct GGMLDecodeTests {
  @Test(.enabled(if: Fixtures.hasShared, "shared/ is not beside the checkout"))
  func everyTypeOfTheFixtureDecodesAsInGGML() throws {
    let file = try GGMLFixture.file("all_types.gguf")
    #expect(file.tensors.count == 24)
    for tensor in file.tensors {
      let encoded = try GGMLFixture.encoded(tensor, of: file)
      let expected = bits(try GGMLFixture.expected(tensor.name))
      #expect(bits(try encoded.decodeReference()) == expected, "\(tensor.name)")
      #expect(bits(try encoded.decode()) == expected, "\(tensor.name)")
    }
  }

  static let blockTypes = GGMLType.allCases.filter { $0.plainDType == nil && $0 != .q8_1 }

  @Test(arguments: blockTypes)
  func randomBlocksDecodeAsInGGML(type: GGMLType) throws {
    let encoded = EncodedTensor(
      try GGMLCodec(type), planes: [GGMLGolden.blocks(type)], elements: 64 * type.blockElements,
      columns: type.blockElements)
    let reference = try encoded.decodeReference()
    #expect(GGMLGolden.digest(reference) == GGMLGolden.digests["decode \(type.name) 0"])
    #expect(bits(try encoded.decode()) == bits(reference))
  }

  /// A Q8_0 block with a second scale that decoding doesn't need.
  @Test func q8_1DecodesAsQ8_0() throws {
    let block = Array(GGMLGolden.blocks(.q8_0).prefix(34))
    let plain = EncodedTensor(try GGMLCodec(.q8_0), planes: [block], elements: 32, columns: 32)
    let summed = EncodedTensor(
      try GGMLCodec(.q8_1), planes: [block[..<2] + [1, 2] + block[2...]], elements: 32, columns: 32)
    #expect(bits(try summed.decode()) == bits(try plain.decode()))
  }

  /// Both kernels over every scale and, across the blocks, every code.
  @Test(arguments: [GGMLType.q4_0, .q8_0])
  func everyScaleDecodesAsInTheReference(type: GGMLType) throws {
    var plane: [UInt8] = []
    for scale in 0..<UInt16(0x8000) where scale & 0x7C00 != 0x7C00 {
      plane += [UInt8(truncatingIfNeeded: scale), UInt8(scale >> 8)]
      plane += (0..<type.blockBytes - 2).map { UInt8(truncatingIfNeeded: $0 + Int(scale) * 37) }
    }
    let elements = plane.count / type.blockBytes * type.blockElements
    let encoded = EncodedTensor(try GGMLCodec(type), planes: [plane], elements: elements, columns: elements)
    #expect(bits(try encoded.decode()) == bits(try encoded.decodeReference()))
  }

  @Test func everyScaleByteOfMXFP4DecodesAsInTheReference() throws {
    var plane: [UInt8] = []
    for scale in 0..<UInt8(255) { plane += [scale] + (0..<16).map { 15 + 15 * $0 } }
    let encoded = EncodedTensor(try GGMLCodec(.mxfp4), planes: [plane], elements: 255 * 32, columns: 32)
    let values = try encoded.decode()
    #expect(bits(values) == bits(try encoded.decodeReference()))
    #expect(values[0] == -0x1.8p-125 && values[31] == -0x1.8p-125)
  }
}
