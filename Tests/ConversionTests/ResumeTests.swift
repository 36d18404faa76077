import ByteIO
import Checkpoints
import Codecs
import Pipeline
import Safetensors
import Tensors
import TestSupport
import Testing

@testable import Conversion

/// A checkpoint whose reads are counted, and fail after so many.
private struct Failing: CheckpointView {
  let source: any Checkpoint
  let reads = Monitor(0)
  var limit = Int.max
  var isDiskFault = true

  var tensors: [CheckpointTensor] { source.tensors }

  func read(_ tensor: Int, elements: Range<Int>, into planes: [UnsafeMutableRawBufferPointer]) throws -> [Int] {
    let count = reads.withLock {
      $0 += 1
      return $0
    }
    if count > limit { throw isDiskFault ? IOError("read", path: path, code: 5) : Broken() }
    return try source.read(tensor, elements: elements, into: planes)
  }

  struct Broken: Error {}
}

/// Conversions that are interrupted and go on.
@Suite struct ResumeTests {
  private let directory: TemporaryDirectory
  private static let tiny = Fixtures.samples + "/tiny-mixtral"

  init() throws { directory = try TemporaryDirectory() }

  private func convert(
    _ checkpoint: any Checkpoint, to name: String, type: String = "q8_0", shards: Int? = nil, resumable: Bool = true
  ) throws -> ConvertReport {
    let isSingle = name.hasSuffix(".gguf")
    var request = ConvertRequest(
      format: isSingle ? .gguf : .safetensors, isSingleFile: isSingle,
      recipe: try QuantizeType(isSingle ? type : "f32", format: isSingle ? .gguf : .safetensors).recipe)
    request.shardSize = shards
    request.prefix = String(name.dropLast(5))
    let plan = try ConvertPlan(checkpoint, request: request)
    var target = ConvertDestination(path: directory.file(name), isSingleFile: isSingle, overwrite: false)
    target.isResumable = resumable
    // Every piece is written down as soon as it is done.
    return try ConvertJob(checkpoint, plan: plan)
      .run(to: target, resources: Resources(threads: 2, memory: 1)) { _ in }
  }

  private func tree(_ prefix: String) throws -> [String: [UInt8]] {
    var files = try Jobs.contents(directory.path)
    for name in try Path.entries(of: directory.path) where Path.isDirectory(directory.file(name)) {
      for (file, bytes) in try Jobs.contents(directory.file(name)) { files[name + "/" + file] = bytes }
    }
    return files.filter { $0.key.hasPrefix(prefix) }
  }

  @Test(arguments: ["a.gguf", "out"], [nil, 600_000])
  func whatIsDoneIsNotDoneAgain(_ name: String, _ shards: Int?) throws {
    let source = try Checkpoints.open(Self.tiny)
    let whole = Failing(source: source)
    let report = try convert(whole, to: "x" + name, shards: shards, resumable: false)
    let all = whole.reads.withLock { $0 }
    let expected = try tree("x")
    for limit in [0, 1, all / 2, all - 1] {
      #expect(throws: IOError.self) { try convert(Failing(source: source, limit: limit), to: name, shards: shards) }
      #expect(
        try tree(String(name.prefix(1))).allSatisfy { $0.key.contains(".partial") || $0.key.contains("partial/") })
      let rest = Failing(source: source)
      let second = try convert(rest, to: name, shards: shards)
      #expect(rest.reads.withLock { $0 } <= all - limit + 2, "\(limit) of \(all)")
      #expect(second.statistics == report.statistics)
      let found = try tree(String(name.dropLast(name == "out" ? 0 : 5)))
      #expect(found.count == expected.count)
      for (file, bytes) in found { #expect(expected["x" + file] == bytes, "\(file)") }
      for file in try Path.entries(of: directory.path) where !file.hasPrefix("x") {
        Path.removeTree(directory.file(file))
      }
    }
  }

  private func pack(
    _ checkpoint: any Checkpoint, to name: String, recipe: String = "mxfp4-experts", shards: Int? = nil,
    resumable: Bool = true
  ) throws -> PackReport {
    var options = PackOptions()
    options.shardSize = shards
    options.sha256 = shards != nil
    // Every record is written down as soon as it is done.
    if resumable { options.resume = PackOptions.Resume(interval: .zero) }
    let plan = try PackPlan(checkpoint, recipe: Recipe(named: recipe))
    return try PackJob(checkpoint, plan: plan, options: options)
      .run(to: directory.file(name), resources: Resources(threads: 2, memory: 1 << 20)) { _ in }
  }

  @Test(arguments: [nil, 300_000], ["mxfp4-experts", "lossless"])
  func packingGoesOn(_ shards: Int?, _ recipe: String) throws {
    let source = try Checkpoints.open(Self.tiny)
    let whole = Failing(source: source)
    let report = try pack(whole, to: "x.bale", recipe: recipe, shards: shards, resumable: false)
    let all = whole.reads.withLock { $0 }
    let expected = try tree("x")
    #expect(shards == nil || expected.count > 2)
    for limit in [0, 1, all / 2, all - 1] {
      #expect(throws: IOError.self) {
        try pack(Failing(source: source, limit: limit), to: "a.bale", recipe: recipe, shards: shards)
      }
      #expect(try tree("a").keys.allSatisfy { $0.contains(".partial") })
      let rest = Failing(source: source)
      let second = try pack(rest, to: "a.bale", recipe: recipe, shards: shards)
      // A record of an expert is three matrices: what was read of an unfinished one is read again, and so may be what
      // other threads were at.
      #expect(rest.reads.withLock { $0 } <= all - limit + 8, "\(limit) of \(all)")
      #expect(second.statistics == report.statistics && second.storedBytes == report.storedBytes)
      let found = try tree("a")
      #expect(found.count == expected.count)
      for (file, bytes) in found { #expect(expected["x" + file.dropFirst()] == bytes, "\(file)") }
      for file in found.keys { Path.remove(directory.file(file)) }
    }
  }

  /// Equal experts share a record: what a record that isn't stored again held is not in the kept file.
  @Test func packingGoesOnAfterEqualRecords() throws {
    let model = directory.file("equal")
    try Path.createDirectory(model)
    let values = [UInt8](repeating: 0x3D, count: 2 * 64 * 64)
    let shape = try #require(Shape([64, 64]))
    let entries = (0..<8).map { expert in
      var bytes = values
      if expert % 3 == 2 { bytes[0] = UInt8(expert) }
      return SafetensorsWriter.Tensor(
        SafetensorsTensorSpec("model.layers.0.mlp.experts.\(expert).up_proj.weight", .bf16, shape), bytes)
    }
    try SafetensorsWriter.write(entries, to: model + "/model.safetensors")
    let source = try Checkpoints.open(model)
    _ = try pack(source, to: "x.bale", resumable: false)
    for limit in 1..<8 {
      #expect(throws: IOError.self) { try pack(Failing(source: source, limit: limit), to: "a.bale") }
      _ = try pack(source, to: "a.bale")
      #expect(try Fixtures.bytes(directory.file("a.bale")) == Fixtures.bytes(directory.file("x.bale")))
      Path.remove(directory.file("a.bale"))
    }
  }

  @Test func aFaultWhilePackingLeavesNothing() throws {
    let source = Failing(source: try Checkpoints.open(Self.tiny), limit: 9, isDiskFault: false)
    #expect(throws: Failing.Broken.self) { try pack(source, to: "a.bale") }
    #expect(try Path.entries(of: directory.path).isEmpty)
  }

  @Test func anotherPackingIsRefusedAndAMissingPartMadeAnew() throws {
    let source = try Checkpoints.open(Self.tiny)
    _ = try pack(source, to: "x.bale", resumable: false)
    #expect(throws: IOError.self) { try pack(Failing(source: source, limit: 9), to: "a.bale") }
    #expect(throws: ResumeError.self) { try pack(source, to: "a.bale", recipe: "lossless") }
    Path.remove(directory.file("a.bale.partial"))
    _ = try pack(source, to: "a.bale")
    #expect(try tree("a").keys.sorted() == ["a.bale"])
    #expect(try Fixtures.bytes(directory.file("a.bale")) == Fixtures.bytes(directory.file("x.bale")))
  }

  @Test func whatAnotherPlanLeftIsRefused() throws {
    let source = try Checkpoints.open(Self.tiny)
    #expect(throws: IOError.self) { try convert(Failing(source: source, limit: 9), to: "a.gguf") }
    let before = try tree("a")
    #expect(throws: ResumeError.self) { try convert(Failing(source: source), to: "a.gguf", type: "q4_0") }
    #expect(try tree("a") == before)
  }

  @Test func aFaultOfTheSourceLeavesNothing() throws {
    let source = Failing(source: try Checkpoints.open(Self.tiny), limit: 9, isDiskFault: false)
    for name in ["a.gguf", "out"] {
      #expect(throws: Failing.Broken.self) { try convert(source, to: name) }
      #expect(try Path.entries(of: directory.path).isEmpty)
    }
  }

  @Test func aDamagedJournalIsReadUpToTheDamage() throws {
    let source = try Checkpoints.open(Self.tiny)
    _ = try convert(Failing(source: source), to: "x.gguf", resumable: false)
    for damage in [41, 75, 103, 8] {
      #expect(throws: IOError.self) { try convert(Failing(source: source, limit: 12), to: "a.gguf") }
      let path = directory.file("a.gguf.partial-journal")
      var journal = try Fixtures.bytes(path)
      #expect(journal.count >= 40 + 4 * 36)
      if damage == 8 { journal = Array(journal.prefix(30)) } else { journal[damage] ^= 1 }
      try directory.write(journal, to: "a.gguf.partial-journal")
      _ = try convert(Failing(source: source), to: "a.gguf")
      #expect(try Fixtures.bytes(directory.file("a.gguf")) == Fixtures.bytes(directory.file("x.gguf")))
      Path.remove(directory.file("a.gguf"))
    }
  }

  @Test func aMissingPartIsMadeAnew() throws {
    let source = try Checkpoints.open(Self.tiny)
    _ = try convert(Failing(source: source), to: "x.gguf", resumable: false)
    #expect(throws: IOError.self) { try convert(Failing(source: source, limit: 12), to: "a.gguf") }
    Path.remove(directory.file("a.gguf.partial"))
    _ = try convert(Failing(source: source), to: "a.gguf")
    #expect(try tree("a").keys.sorted() == ["a.gguf"])
    #expect(try Fixtures.bytes(directory.file("a.gguf")) == Fixtures.bytes(directory.file("x.gguf")))
  }

  @Test func onlyOneProcessHasAKeptFile() throws {
    let path = directory.file("a")
    let first = try OutputFile(path, keptAs: path + ".partial", overwrite: false)
    #expect(throws: IOError.self) { try OutputFile(path, keptAs: path + ".partial", overwrite: false) }
    try first.write([1, 2, 3], at: 0)
    first.discard()
    let second = try OutputFile(path, keptAs: path + ".partial", overwrite: false)
    try second.commit(length: 3)
    #expect(try Fixtures.bytes(path) == [1, 2, 3])
    #expect(try Path.entries(of: directory.path) == ["a"])
  }
}
