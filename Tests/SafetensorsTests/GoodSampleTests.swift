import Safetensors
import Tensors
import TestSupport
import Testing

struct GoodSampleTests {
  static let folder = Fixtures.samples + "/good/safetensors"

  /// The samples that are in the Rust library's order.
  static let canonical = [
    "empty", "metadata", "dtypes", "shapes", "names", "f6", "sharded/model-00001-of-00002",
    "sharded/model-00002-of-00002",
  ]

  func open(_ name: String) throws -> SafetensorsFile { try SafetensorsFile("\(Self.folder)/\(name).safetensors") }

  func tensors(_ file: SafetensorsFile) throws -> [SafetensorsWriter.Tensor] {
    try file.tensors.map { SafetensorsWriter.Tensor(.init($0.name, $0.dtype, $0.shape), try file.bytes(of: $0)) }
  }

  @Test(arguments: canonical) func rewritesToTheSameBytes(_ name: String) throws {
    let file = try open(name)
    let bytes = try Fixtures.bytes(file.path)
    #expect(try SafetensorsWriter.encode(tensors(file).reversed(), metadata: file.metadata) == bytes)
    #expect(try SafetensorsWriter.encode(tensors(file), metadata: file.metadata, order: .asGiven) == bytes)
  }

  @Test func contents() throws {
    for tensor in try open("dtypes").tensors {
      #expect(try open("dtypes").bytes(of: tensor) == (0..<tensor.bytes.count).map { UInt8($0) })
    }
    #expect(try open("dtypes").tensors.count == 20)
    #expect(try open("metadata").metadata == [.init("k\"\\\n\u{E9}", "v\u{1}/\u{7F}")])
    #expect(try open("names").tensors.count == 11)
    #expect(try open("shapes")["scalar"]?.shape == Shape([]))
    #expect(try open("f6").tensors.map(\.dtype) == [.f6e3m2, .f6e2m3])
  }

  @Test func tolerated() throws {
    let file = try open("tolerated")
    #expect(file.tensors.map(\.name) == ["a", "b", "c"])
    #expect(file.tensors.map(\.dtype) == [.f32, .u8, .f4])
    #expect(try file.tensors.flatMap(file.bytes(of:)) == [0, 1, 2, 3, 4, 5])
  }

  @Test func writtenByMLX() throws {
    let file = try open("mlx")
    #expect(file.metadata == nil)
    #expect(file.header.dataOrder == [1, 0])
    #expect(try file["a"].map(file.bytes(of:)) == [3, 4])
  }
}
