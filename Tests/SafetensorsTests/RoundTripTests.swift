import Safetensors
import Tensors
import TestSupport
import Testing

/// Random files: one to seven tensors of any dtype, ranks and dimensions up to seven, some without elements.
struct RoundTripTests {
  static let letters = ["a", "b", ".", "\"", "\\", "\n", "\0", "\u{7F}", "é", "e\u{301}", "😀", "\u{2028}", "7"]

  func tensors(_ random: inout SplitMix64) throws -> [SafetensorsWriter.Tensor] {
    var named: [[UInt8]: SafetensorsWriter.Tensor] = [:]
    for _ in 0..<Int.random(in: 1...7, using: &random) {
      let name = (0..<Int.random(in: 0...4, using: &random)).compactMap { _ in
        Self.letters.randomElement(using: &random)
      }
      .joined()
      var dimensions = (0..<Int.random(in: 0...6, using: &random)).map { _ in Int.random(in: 0...4, using: &random) }
      dimensions.append(4)
      let spec = SafetensorsTensorSpec(
        name, try #require(DType.allCases.randomElement(using: &random)), try #require(Shape(dimensions)))
      let size = try #require(spec.dtype.bytes(elements: spec.shape.elements))
      let bytes = (0..<size).map { _ in UInt8.random(in: .min ... .max, using: &random) }
      named[Array(name.utf8)] = SafetensorsWriter.Tensor(spec, bytes)
    }
    return Array(named.values)
  }

  @Test(arguments: 0..<100) func readsWhatItWrites(_ seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let tensors = try tensors(&random)
    let metadata = [nil, [], [SafetensorsMetadataEntry("é\"", "\n")]][Int(seed % 3)]
    let bytes = try SafetensorsWriter.encode(tensors, metadata: metadata)
    let header = try read(bytes)
    #expect(header.metadata == metadata)
    #expect(header.dataOrder == Array(header.tensors.indices))
    for tensor in tensors {
      let found = try #require(header[tensor.spec.name])
      #expect(found.dtype == tensor.spec.dtype)
      #expect(found.shape == tensor.spec.shape)
      #expect(Array(bytes[found.bytes]) == tensor.bytes)
      #expect(found.bytes.lowerBound * 8 % found.dtype.bits == 0 || found.dtype.bits == 6)
    }
    #expect(try SafetensorsWriter.encode(tensors.shuffled(using: &random), metadata: metadata) == bytes)
  }
}
