import ByteIO
import Codecs
import GGUF
import Tensors
import TestSupport
import Testing

@Suite struct SplitPlanTests {
  static let metadata: GGUFMetadata = ["general.architecture": .string("test"), "test.block_count": .uint32(1)]

  /// F32 vectors of the given lengths, named t0, t1, ...
  private func vectors(_ lengths: [Int]) throws -> [GGUFTensorInfo] {
    try lengths.enumerated().map { index, length in
      GGUFTensorInfo(name: "t\(index)", type: .f32, shape: try #require(Shape([length])))
    }
  }

  private func ranges(_ lengths: [Int], _ limit: GGUFSplitLimit) throws -> [Range<Int>] {
    try GGUFHeader.plan(splitting: limit, prefix: "m", metadata: Self.metadata, tensors: vectors(lengths))
      .map(\.tensors)
  }

  @Test func cutsByNumberOfTensors() throws {
    #expect(try ranges([1, 1, 1, 1, 1], .tensors(2)) == [0..<2, 2..<4, 4..<5])
    #expect(try ranges([1, 1, 1, 1], .tensors(2)) == [0..<2, 2..<4])
    #expect(try ranges([1, 1], .tensors(2)) == [0..<2])
    #expect(try ranges([], .tensors(2)) == [0..<0])
  }

  /// Padded bytes count: a vector of 8 is 32 bytes, one of 9 is 64.
  @Test func cutsByBytes() throws {
    #expect(try ranges([8, 8, 8, 8], .bytes(64)) == [0..<2, 2..<4])
    #expect(try ranges([8, 8, 8, 8], .bytes(63)) == [0..<1, 1..<2, 2..<3, 3..<4])
    #expect(try ranges([9, 9, 8], .bytes(96)) == [0..<1, 1..<3])
    #expect(try ranges([8, 100, 8, 8], .bytes(64)) == [0..<1, 1..<2, 2..<4])
    #expect(try ranges([100, 8], .bytes(1)) == [0..<1, 1..<2])
    #expect(try ranges([0, 8, 0, 8], .bytes(32)) == [0..<3, 3..<4])
    #expect(try ranges([], .bytes(1)) == [0..<0])
  }

  @Test(arguments: [0, -1]) func refusesALimitThatHoldsNothing(limit: Int) {
    let expected = GGUFError(.splitLimit(limit), file: "m.gguf")
    #expect(throws: expected) { try ranges([1], .bytes(limit)) }
    #expect(throws: expected) { try ranges([1], .tensors(limit)) }
  }

  @Test func refusesMoreShardsThanAKeyCanCount() throws {
    let expected = GGUFError(.tooMany(field: "the number of shards", count: 65536, limit: 65535), file: "m.gguf")
    #expect(throws: expected) { try ranges([Int](repeating: 1, count: 65536), .tensors(1)) }
  }

  @Test func oneShardIsAPlainFile() throws {
    let shards = try GGUFHeader.plan(
      splitting: .bytes(1 << 20), prefix: "m", metadata: Self.metadata, tensors: vectors([1]))
    #expect(shards.map(\.path) == ["m.gguf"])
    let header = try GGUFHeader(parsing: file(shards[0].plan), path: "m.gguf")
    #expect(header.metadata == Self.metadata)
  }

  @Test func keysOfShards() throws {
    var metadata = Self.metadata
    metadata["split.count"] = .uint16(9)
    let shards = try GGUFHeader.plan(
      splitting: .tensors(2), prefix: "dir/m", metadata: metadata, tensors: vectors([1, 2, 3]), alignment: 64)
    #expect(shards.map(\.path) == ["dir/m-00001-of-00002.gguf", "dir/m-00002-of-00002.gguf"])
    let headers = try shards.map { try GGUFHeader(parsing: file($0.plan), path: $0.path) }
    #expect(
      headers[0].metadata == [
        "general.architecture": .string("test"), "test.block_count": .uint32(1), "general.alignment": .uint32(64),
        "split.no": .uint16(0), "split.tensors.count": .int32(3), "split.count": .uint16(2),
      ])
    #expect(
      headers[1].metadata == [
        "general.alignment": .uint32(64), "split.no": .uint16(1), "split.tensors.count": .int32(3),
        "split.count": .uint16(2),
      ])
    #expect(headers.map(\.alignment) == [64, 64])
  }

  /// A split model read back gives the metadata and the tensors that were split.
  @Test(arguments: [GGUFSplitLimit.bytes(300), .tensors(3), .tensors(1)])
  func writtenShardsAreRead(limit: GGUFSplitLimit) throws {
    let directory = try TemporaryDirectory()
    let tensors = try vectors([3, 70, 0, 12, 40, 40, 9])
    let shards = try GGUFHeader.plan(
      splitting: limit, prefix: directory.file("m"), metadata: Self.metadata, tensors: tensors)
    for shard in shards { try directory.write(file(shard.plan), to: Path.name(of: shard.path)) }
    for shard in shards {
      let model = try GGUFModel(shard.path)
      #expect(model.shards.count == shards.count)
      #expect(model.metadata == Self.metadata)
      #expect(model.tensors.map(\.tensor.info) == tensors)
    }
  }
}

/// A whole file with zeros for data.
func file(_ plan: GGUFPlan) -> [UInt8] {
  plan.header + [UInt8](repeating: 0, count: plan.fileSize - plan.header.count)
}
