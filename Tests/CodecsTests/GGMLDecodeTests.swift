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
}
