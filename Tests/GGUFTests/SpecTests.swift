import ByteIO
import Codecs
import GGUF
import Tensors
import TestSupport
import Testing

/// The worked example of specs/gguf.md.
@Suite struct SpecTests {
  /// The bytes of the block marked `hex`: an offset, sixteen bytes, a remark.
  private func example() throws -> [UInt8] {
    let text = String(decoding: try Fixtures.bytes(Fixtures.root + "/specs/gguf.md"), as: UTF8.self)
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    let start = try #require(lines.firstIndex(of: "```hex")) + 1
    let block = lines[start...].prefix { $0 != "```" }
    return try block.flatMap { line in
      try line.split(separator: " ").dropFirst().prefix(16).map { try #require(UInt8($0, radix: 16)) }
    }
  }

  @Test func exampleIsTheSample() throws {
    #expect(try example() == Fixtures.bytes(Fixtures.samples + "/good/gguf/four-dimensions.gguf"))
  }

  @Test func exampleIsPlannedAnew() throws {
    let bytes = try example()
    let shape = try #require(Shape([2, 1, 2, 1]))
    let plan = try GGUFHeader.plan(
      metadata: ["general.architecture": .string("test")],
      tensors: [GGUFTensorInfo(name: "t", type: .f32, shape: shape)])
    #expect(plan.header == Array(bytes.prefix(0x80)))
    #expect(plan.tensors.map(\.range) == [0x80..<0x90])
    #expect(plan.fileSize == bytes.count)
  }
}
