import Safetensors
import Tensors
import TestSupport
import Testing

struct SpecificationTests {
  /// The bytes of the dump in the specification: lines of an eight-digit offset and up to 16 bytes.
  func example() throws -> [UInt8] {
    let text = String(decoding: try Fixtures.bytes(Fixtures.root + "/specs/safetensors.md"), as: UTF8.self)
    return text.split(separator: "\n").filter { $0.hasPrefix("000000") }.flatMap {
      $0.dropFirst(10).prefix(47).split(separator: " ").compactMap { UInt8($0, radix: 16) }
    }
  }

  @Test func exampleIsWhatIsWritten() throws {
    let pair = try #require(Shape([1, 2]))
    let scalar = try #require(Shape([]))
    let bytes = try SafetensorsWriter.encode(
      [
        .init(.init("n", .u8, scalar), [7]),
        .init(.init("w", .bf16, pair), [0x80, 0x3F, 0x00, 0xC0]),
      ], metadata: [.init("format", "pt")])
    #expect(try bytes == example())
    #expect(try read(example())["w"]?.bytes == 0x98..<0x9C)
  }
}
