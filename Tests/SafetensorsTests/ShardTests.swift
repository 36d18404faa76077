import ByteIO
import JSON
import Safetensors
import Tensors
import TestSupport
import Testing

struct ShardTests {
  let sample = Fixtures.samples + "/good/safetensors/sharded"

  /// Writes a file whose tensors are one byte each.
  func write(_ names: [String], to file: String, in directory: TemporaryDirectory) throws {
    let shape = try #require(Shape([1]))
    let tensors = names.map { SafetensorsWriter.Tensor(.init($0, .u8, shape), [7]) }
    try directory.write(SafetensorsWriter.encode(tensors), to: file)
  }

  @Test func readsADirectory() throws {
    let model = try ShardedSafetensors(sample)
    #expect(model.shards.map(\.name) == ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"])
    #expect(model.tensors.map(\.tensor.name) == ["b", "a", "c.\u{E9}"])
    #expect(model.tensors.map(\.shard) == [0, 0, 1])
    #expect(model.indexName == "model.safetensors.index.json")
    #expect(model.sidecars == ["config.json"])
    #expect(model.subdirectories.isEmpty)
    #expect(model.warnings.isEmpty)
    #expect(try model["c.\u{E9}"].map(model.bytes(of:)) == [0, 1, 2, 3, 4, 5])
    #expect(model["c.e\u{301}"] == nil)
  }

  @Test func readsAnIndexOrOneFile() throws {
    let whole = try ShardedSafetensors(sample + "/model.safetensors.index.json")
    #expect(whole.tensors.count == 3)
    #expect(whole.sidecars == ["config.json"])
    let one = try ShardedSafetensors(sample + "/model-00002-of-00002.safetensors")
    #expect(one.tensors.count == 1)
    #expect(one.index == nil)
    #expect(one.directory == sample)
    #expect(one.sidecars.isEmpty)
  }

  @Test func writesTheIndexOfTheSample() throws {
    let model = try ShardedSafetensors(sample)
    let index = ShardIndex(
      totalSize: 30, totalParameters: 11,
      weightMap: model.tensors.map { .init(tensor: $0.tensor.name, shard: model.shards[$0.shard].name) })
    #expect(index.encoded() == (try Fixtures.bytes(sample + "/model.safetensors.index.json")))
  }

  @Test func findsIndexesOfOtherNames() throws {
    let directory = try TemporaryDirectory()
    try write(["a"], to: "sub/x.safetensors", in: directory)
    try write(["a"], to: "diffusion.fp16.safetensors", in: directory)
    try directory.write(
      Array(#"{"weight_map":{"a":"diffusion.fp16.safetensors"}}"#.utf8), to: "diffusion.safetensors.index.fp16.json")
    #expect(try ShardedSafetensors(directory.path).indexName == "diffusion.safetensors.index.fp16.json")
    try directory.write(
      Array(#"{"weight_map":{"a":"sub/x.safetensors"}}"#.utf8), to: "diffusion.safetensors.index.json")
    let model = try ShardedSafetensors(directory.path)
    #expect(model.shards.map(\.name) == ["sub/x.safetensors"])
    #expect(model.sidecars == ["diffusion.fp16.safetensors", "diffusion.safetensors.index.fp16.json"])
    #expect(model.subdirectories == ["sub"])
  }

  @Test func takesAllFilesWithoutAnIndex() throws {
    let directory = try TemporaryDirectory()
    try write(["a", "b"], to: "y.safetensors", in: directory)
    try write(["c"], to: "x.safetensors", in: directory)
    try directory.write([1], to: "tokenizer.json")
    let model = try ShardedSafetensors(directory.path)
    #expect(model.tensors.map(\.tensor.name) == ["c", "a", "b"])
    #expect(model.sidecars == ["tokenizer.json"])
  }

  @Test func refusesADirectoryWithoutTensors() throws {
    let directory = try TemporaryDirectory()
    try directory.write([1], to: "config.json")
    let error = #expect(throws: ShardError.self) { try ShardedSafetensors(directory.path) }
    #expect(error?.reason == .noTensors)
    #expect(throws: IOError.self) { try ShardedSafetensors(directory.file("absent.safetensors")) }
  }

  @Test func refusesALargeIndex() throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("x.safetensors.index.json")
    try OutputFile(path).commit(length: SafetensorsLimits.index + 1)
    let error = #expect(throws: ShardError.self) { try ShardedSafetensors(path) }
    #expect(error?.reason == .indexTooLarge(size: SafetensorsLimits.index + 1))
  }

  @Test(arguments: [("1", true), ("1.0", true), ("2", false), ("\"1\"", false), ("null", false)])
  func warnsOfAWrongTotalSize(_ stated: String, _ isRight: Bool) throws {
    let directory = try TemporaryDirectory()
    try write(["a"], to: "x.safetensors", in: directory)
    try directory.write(
      Array(#"{"metadata":{"total_size":\#(stated)},"weight_map":{"a":"x.safetensors"}}"#.utf8),
      to: "model.safetensors.index.json")
    let warnings = try ShardedSafetensors(directory.path).warnings
    #expect(warnings == (isRight ? [] : [.totalSize(stated: stated, actual: 1)]))
  }

  @Test(.enabled(if: Fixtures.hasShared, "shared/ is not beside the checkout"))
  func readsTheSharedCheckpoints() throws {
    let sharded = try ShardedSafetensors(Fixtures.shared("fixtures/sharded"))
    #expect(sharded.tensors.count == 5)
    #expect(sharded.warnings.isEmpty)
    #expect(sharded.index?.metadata?["tied.a"]?.string == "model.layers.0.w")
    let upcycled = try ShardedSafetensors(Fixtures.shared("models/upcycled"))
    #expect(upcycled.shards.count == 2)
    #expect(upcycled.sidecars == ["config.json", "tokenizer.model", "tokenizer_config.json", "training.json"])
  }
}

struct ShardPlanTests {
  @Test func splitsInOrder() {
    #expect(ShardPlan.split(sizes: [], maximum: 10) == [0..<0])
    #expect(ShardPlan.split(sizes: [4, 6, 1], maximum: 10) == [0..<2, 2..<3])
    #expect(ShardPlan.split(sizes: [4, 7, 3], maximum: 10) == [0..<1, 1..<3])
    #expect(ShardPlan.split(sizes: [1, 99, 1, 1], maximum: 10) == [0..<1, 1..<2, 2..<4])
    #expect(ShardPlan.split(sizes: [.max, .max], maximum: .max) == [0..<1, 1..<2])
  }

  @Test func namesFiles() {
    #expect(ShardPlan.name(index: 0, count: 1) == "model.safetensors")
    #expect(ShardPlan.name(index: 0, count: 3) == "model-00001-of-00003.safetensors")
    #expect(ShardPlan.name(index: 123_455, count: 123_456, prefix: "a-b") == "a-b-123456-of-123456.safetensors")
  }
}
