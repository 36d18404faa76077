import ByteIO
import Checkpoints
import Conversion
import Experts
import JSON
import TestSupport
import Testing

@Suite struct CheckpointPruningTests {
  private let directory: TemporaryDirectory
  private let source: String

  /// A checkpoint with a configuration.
  init() throws {
    directory = try TemporaryDirectory()
    source = directory.file("model")
    try Path.createDirectory(source)
  }

  private func write(_ sample: ExpertSample) throws {
    try sample.write(Path.join(source, "model.safetensors"))
    let config = Array("{\"num_local_experts\": \(sample.count), \"num_experts_per_tok\": 2, \"x\": 1}".utf8)
    let output = try OutputFile(Path.join(source, "config.json"))
    try output.write(config, at: 0)
    try output.commit(length: config.count)
  }

  private func prune(_ request: PruningRequest) throws -> [String: StoredTensor] {
    let checkpoint = try Checkpoints.open(source)
    let pruned = try PrunedCheckpoint(checkpoint, prunings: request.prunings(of: checkpoint))
    var plan = try ConvertPlan(pruned, request: ConvertRequest(format: .safetensors, isSingleFile: false))
    if let config = pruned.config { plan.made.append(("config.json", config)) }
    let target = directory.file("pruned")
    _ = try ConvertJob(pruned, plan: plan).run(
      to: ConvertDestination(path: target, isSingleFile: false, overwrite: false),
      resources: Resources(threads: 2, memory: 64 << 20)
    ) { _ in }
    let config = try JSONValue(parsing: Fixtures.bytes(Path.join(target, "config.json")))
    #expect(config["num_local_experts"]?.int == pruned.tensors.first { $0.role == .router }?.shape.dimensions.first)
    #expect(config["x"]?.int == 1)
    return try Jobs.values(target)
  }

  @Test(arguments: [false, true]) func droppedExpertsGoAndTheRestKeepTheirBytes(isStacked: Bool) throws {
    try write(ExpertSample(correlation: 0, isStacked: isStacked))
    let before = try Jobs.values(source)
    let after = try prune(.drop([0: [1]]))
    let router = "model.layers.0.block_sparse_moe.gate.weight"
    let rows = try #require(before[router]?.planes[0])
    #expect(after[router]?.shape == [3, 64])
    #expect(after[router]?.planes[0] == Array(rows[..<128] + rows[256...]))
    if isStacked {
      let name = "model.layers.0.mlp.experts.down_proj"
      let bytes = try #require(before[name]?.planes[0])
      let slice = bytes.count / 4
      #expect(after[name]?.planes[0] == Array(bytes[..<slice] + bytes[(2 * slice)...]))
    } else {
      func name(_ expert: Int) -> String { "model.layers.0.block_sparse_moe.experts.\(expert).w2.weight" }
      #expect(after.count == before.count - 3)
      for (new, old) in [0, 2, 3].enumerated() { #expect(after[name(new)] == before[name(old)]) }
    }
  }

  @Test func theLeastUsedGo() throws {
    try write(ExpertSample(correlation: 0))
    let before = try Jobs.values(source)
    let after = try prune(.keepMostUsed(2, counts: [0: [5, 9, 0, 7]]))
    func name(_ expert: Int) -> String { "model.layers.0.block_sparse_moe.experts.\(expert).w1.weight" }
    #expect(after[name(0)] == before[name(1)] && after[name(1)] == before[name(3)] && after[name(2)] == nil)
    let checkpoint = try Checkpoints.open(source)
    #expect(throws: ExpertError.tooFewExperts(layer: 0, kept: 1, needed: 2)) {
      try PruningRequest.keepMostUsed(1, counts: [0: [5, 9, 0, 7]]).prunings(of: checkpoint)
    }
    #expect(throws: ExpertError.routerCounts(layer: 0, expected: 4, found: 2)) {
      try PruningRequest.keepMostUsed(2, counts: [0: [5, 9]]).prunings(of: checkpoint)
    }
  }

  @Test(arguments: [false, true]) func equalExpertsMergeIntoThemselves(isStacked: Bool) throws {
    try write(ExpertSample(isStacked: isStacked, isRepeated: true))
    let before = try Jobs.values(source)
    let after = try prune(.merge(2))
    for (name, tensor) in after where name.contains("experts.") {
      let old = try #require(before[name])
      #expect(tensor.planes[0] == Array(old.planes[0].prefix(tensor.planes[0].count)))
    }
    let count = isStacked ? after["model.layers.0.mlp.experts.up_proj"]?.shape.first : (after.count - 1) / 3
    #expect(count == 2)
  }
}
