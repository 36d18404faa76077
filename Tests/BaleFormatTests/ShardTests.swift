import BaleFormat
import ByteIO
import TestSupport
import Testing

@Suite struct ShardTests {
  private func write(_ directory: TemporaryDirectory, size: Int) throws -> [BaleWriter.Written] {
    var options = BaleWriter.Options()
    options.shardSize = size
    return try SampleFile.write(to: directory.file("m.bale"), options: options)
  }

  @Test func shardsAreNamedAndAnyOpensTheSet() async throws {
    let directory = try TemporaryDirectory()
    let written = try write(directory, size: 35_000)
    #expect(written.count == 3)
    #expect(
      try Path.entries(of: directory.path) == [
        "m-00001-of-00003.bale", "m-00002-of-00003.bale", "m-00003-of-00003.bale",
      ])
    for shard in written {
      #expect(shard.size <= 35_000)
      let file = try BaleFile(shard.path)
      #expect(file.tensorCount == 9)
      #expect(file.roots == written.map(\.root))
      #expect(file.originals.map(\.name) == ["config/a.json", "model.safetensors"])
      #expect(try file.verify().damage.isEmpty)
    }
  }

  @Test func aTensorMayHavePartsInSeveralShards() throws {
    let directory = try TemporaryDirectory()
    let file = try BaleFile(try write(directory, size: 35_000)[1].path)
    for tensor in SampleFile.experts {
      let stored = try #require(file.tensor(named: tensor.name))
      #expect(stored.parts.map(\.range) == [0..<1, 1..<2])
      #expect(stored.parts.map(\.record.shard) == [1, 2])
      for part in stored.parts {
        let expected = tensor.bytes(
          part: part.range.lowerBound, plane: 0, chunk: 0, layout: try tensor.layout(part.range))
        #expect(try file.readChunk(0, plane: 0, of: part) == expected)
      }
    }
    #expect(file.record(layer: 3, expert: 1)?.id.shard == 2)
  }

  @Test func aSetOfOneIsAPlainFile() throws {
    let directory = try TemporaryDirectory()
    _ = try write(directory, size: 1 << 30)
    #expect(try Path.entries(of: directory.path) == ["m.bale"])
    #expect(try Fixtures.bytes(directory.file("m.bale")) == SampleFile.bytes())
  }

  @Test func aMissingOrForeignShardIsRefused() throws {
    let directory = try TemporaryDirectory()
    let written = try write(directory, size: 35_000)
    let last = try Fixtures.bytes(written[2].path)
    Path.remove(written[2].path)
    #expect(throws: BaleError(.shardMissing(written[2].path), file: written[0].path)) {
      try BaleFile(written[0].path)
    }
    // The middle shard in the place of the last.
    try directory.write(try Fixtures.bytes(written[1].path), to: "m-00003-of-00003.bale")
    #expect(throws: BaleError(.shardMismatch(number: 3), file: written[2].path)) { try BaleFile(written[0].path) }
    try directory.write(last, to: "other.bale")
    #expect(throws: BaleError(.shardName(number: 3, count: 3), file: directory.file("other.bale"))) {
      try BaleFile(directory.file("other.bale"))
    }
    // The last shard of another set of three.
    var options = BaleWriter.Options()
    options.shardSize = 35_000
    options.metadata = Array("{\"other\":1}".utf8)
    let other = try SampleFile.write(to: directory.file("n.bale"), options: options)
    try directory.write(try Fixtures.bytes(other[2].path), to: "m-00003-of-00003.bale")
    #expect(throws: BaleError(.shardMismatch(number: 3), file: written[2].path)) { try BaleFile(written[0].path) }
  }
}
