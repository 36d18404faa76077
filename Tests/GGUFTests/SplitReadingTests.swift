import ByteIO
import GGUF
import TestSupport
import Testing

/// Split models: samples/{good,bad}/gguf/splits, a folder each.
@Suite struct SplitReadingTests {
  /// What is wrong with a set, in which of its files, and in which tensor.
  struct BadSet: Sendable, CustomTestStringConvertible {
    var name: String
    var file: String
    var reason: GGUFReason
    var tensor: String?
    var offset: Int?
    var testDescription: String { name }
  }

  static let first = "m-00001-of-00002.gguf"
  static let second = "m-00002-of-00002.gguf"
  static let bad: [BadSet] = [
    BadSet(name: "missing-shard", file: second, reason: .shardMissing(number: 2, count: 2)),
    BadSet(name: "wrong-name", file: "m.gguf", reason: .shardName(expected: "NAME-00001-of-00002.gguf")),
    BadSet(name: "wrong-number-in-name", file: second, reason: .shardName(expected: "NAME-00001-of-00002.gguf")),
    BadSet(name: "count-not-a-number", file: first, reason: .shardKey(key: "split.count")),
    BadSet(name: "no-number", file: first, reason: .shardKey(key: "split.no")),
    BadSet(name: "other-count", file: second, reason: .shardCount(expected: 2, found: 3)),
    BadSet(name: "other-number", file: second, reason: .shardNumber(expected: 1, found: 0)),
    BadSet(name: "no-tensor-count", file: first, reason: .shardKey(key: "split.tensors.count")),
    BadSet(name: "tensor-count", file: first, reason: .shardTensorCount(expected: 3, found: 2)),
    BadSet(name: "key-conflict", file: second, reason: .shardConflict(key: "general.architecture")),
    BadSet(
      name: "shard-cut", file: second, reason: .dataBeyondFile(end: 176, size: 172), tensor: "c", offset: 172),
  ]

  private func good(_ name: String) -> String { "\(Fixtures.samples)/good/gguf/splits/\(name)" }
  private static func bad(_ name: String) -> String { "\(Fixtures.samples)/bad/gguf/splits/\(name)" }

  @Test(arguments: bad) func refuses(set: BadSet) throws {
    let folder = Self.bad(set.name)
    let opened = try #require(Path.entries(of: folder).first)
    #expect(
      throws: GGUFError(set.reason, file: "\(folder)/\(set.file)", tensor: set.tensor, offset: set.offset)
    ) { try GGUFModel("\(folder)/\(opened)") }
  }

  @Test func refusesATensorInTwoShards() {
    let folder = Self.bad("tensor-in-both")
    #expect(
      throws: GGUFError(
        .shardDuplicateTensor(firstIn: "\(folder)/\(Self.first)"), file: "\(folder)/\(Self.second)", tensor: "b")
    ) { try GGUFModel("\(folder)/\(Self.first)") }
  }

  @Test func everySetIsInTheTable() throws {
    let names = try Path.entries(of: Self.bad("."))
    #expect(Set(names) == Set(Self.bad.map(\.name) + ["tensor-in-both"]))
  }

  /// Any shard may be named.
  @Test(arguments: [first, second]) func readsTwoShards(opened: String) throws {
    let model = try GGUFModel("\(good("two-shards"))/\(opened)")
    #expect(model.shards.count == 2)
    #expect(model.metadata == ["general.architecture": .string("test")])
    #expect(model.tensors.map(\.tensor.name) == ["a", "b", "c"])
    #expect(model.tensors.map(\.shard) == [0, 0, 1])
  }

  @Test func firstShardMayHaveNoTensors() throws {
    let model = try GGUFModel("\(good("first-shard-empty"))/\(Self.first)")
    #expect(model.tensors.map(\.shard) == [1])
  }

  @Test func laterShardsMayAddKeys() throws {
    let model = try GGUFModel("\(good("later-shard-repeats-key"))/\(Self.first)")
    #expect(model.metadata == ["general.architecture": .string("test"), "more": .uint8(1)])
  }

  /// What llama-gguf-split --merge leaves: `split.count` 0 in one file of any name.
  @Test(arguments: [("merged-file", "merged.gguf", 3), ("count-of-one", "single.gguf", 1)])
  func readsOneFile(folder: String, file: String, tensors: Int) throws {
    let model = try GGUFModel("\(good(folder))/\(file)")
    #expect(model.shards.count == 1)
    #expect(model.tensors.count == tensors)
    for key in ["split.no", "split.count", "split.tensors.count"] { #expect(!model.metadata.contains(key)) }
  }

  @Test func namesOfShards() {
    let name = GGUFShardName(path: "dir/some-model-Q4_0-00002-of-00012.gguf")
    #expect(name == GGUFShardName(prefix: "dir/some-model-Q4_0", number: 2, count: 12))
    #expect(name?.sibling(12).description == "dir/some-model-Q4_0-00012-of-00012.gguf")
    #expect(GGUFShardName(path: "m-100000-of-123456.gguf")?.number == 100_000)
    for path in [
      "m.gguf", "00001-of-00002.gguf", "m-1-of-2.gguf", "m-00001-of-2.gguf", "m-00000-of-00002.gguf",
      "m-00003-of-00002.gguf", "m-00001-of-00002.bin", "m-+0001-of-00002.gguf", "m-00001-of-00002.gguf.gguf",
    ] {
      #expect(GGUFShardName(path: path) == nil, "\(path)")
    }
  }
}
