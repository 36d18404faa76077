import ByteIO
import Checkpoints
import Codecs
import Pipeline
import TestSupport
import Testing

@testable import Conversion

/// A checkpoint whose reads are counted, and fail after so many.
private struct Failing: Checkpoint {
  let source: any Checkpoint
  let reads = Monitor(0)
  var limit = Int.max
  var isDiskFault = true

  var path: String { source.path }
  var format: ContainerFormat { source.format }
  var tensors: [CheckpointTensor] { source.tensors }
  var files: [CheckpointFile] { source.files }
  var storage: [(path: String, size: Int)] { source.storage }
  var skipped: [String] { source.skipped }
  var facts: [(key: String, value: String)] { source.facts }

  func read(_ tensor: Int, elements: Range<Int>, into planes: [UnsafeMutableRawBufferPointer]) throws -> [Int] {
    let count = reads.withLock {
      $0 += 1
      return $0
    }
    if count > limit { throw isDiskFault ? IOError("read", path: path, code: 5) : Broken() }
    return try source.read(tensor, elements: elements, into: planes)
  }

  struct Broken: Error {}

  func segments(of file: CheckpointFile) throws -> [SourceSegment] { try source.segments(of: file) }
  func read(_ range: Range<Int>, of file: CheckpointFile) throws -> [UInt8] { try source.read(range, of: file) }
  func open(_ file: CheckpointFile) throws -> InputFile { try source.open(file) }
  func sha256(of file: CheckpointFile) throws -> [UInt8]? { try source.sha256(of: file) }
  func checkUnchanged() throws { try source.checkUnchanged() }
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
      #expect(journal.count >= 40 + 4 * 32)
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
