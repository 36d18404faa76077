import ByteIO
import Codecs
import GGUF
import JSON
import TestSupport
import Testing

@testable import Architectures

/// One tiny model of each family against llama.cpp's converter.
struct GoldenForwardTests {
  @Test func everyFamilyHasOne() throws {
    let families = Set(try Golden.names().map { try Golden($0).architecture().family.modelType })
    #expect(families == Set(ArchitectureRegistry.families.map(\.modelType)))
  }

  @Test(arguments: Golden.names()) func keyValues(_ name: String) throws {
    let golden = try Golden(name)
    let keys = try golden.architecture().modelKeys(
      HuggingFaceModel(directoryName: golden.directory, config: golden.config), map: golden.map(), type: .bf16)
    #expect(keys.entries.map(\.key) == golden.keyValues.map(\.key))
    for (key, type, value) in golden.keyValues {
      let found = try #require(keys[key], "\(key)")
      #expect(matches(found, type, value), "\(key) is \(found), expected \(value)")
    }
  }

  @Test(arguments: Golden.names()) func tensors(_ name: String) throws {
    let golden = try Golden(name)
    let map = try golden.map()
    #expect(map.tensors.map(\.name) == golden.output.map(\.name))
    let reference = MapReference { golden.input($0) }
    for (tensor, expected) in zip(map.tensors, golden.output) {
      #expect(tensor.type.name == expected.type, "\(tensor.name)")
      #expect(tensor.shape.dimensions == expected.shape, "\(tensor.name)")
      #expect(hexadecimal(SHA256.digest(try reference.bytes(of: tensor))) == expected.digest, "\(tensor.name)")
    }
  }

  private func matches(_ found: GGUFValue, _ type: String, _ value: JSONValue) -> Bool {
    switch (found, type) {
    case (.uint32, "UINT32"), (.int32, "INT32"): found.integer == value.int
    case (.float32(let number), "FLOAT32"): value.double.map(Float.init) == number
    case (.bool(let flag), "BOOL"): value.bool == flag
    case (.string(let text), "STRING"): value.string.map { GGUFString($0) } == text
    default: false
    }
  }
}
