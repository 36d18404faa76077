import ByteIO
import TestSupport
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Every system call goes wrong once. What is left is the old output or the new one, nothing else.
/// `BALE_EXHAUSTIVE=1` tries every call with every error; otherwise the first four, the 8th, 16th and so on, each with
/// the next error.
@Suite(.enabled(if: Fault.isPossible, "no C compiler")) struct FaultTests {
  /// A command, and what lies where it writes.
  struct Job: Sendable, CustomTestStringConvertible {
    var testDescription: String
    /// From the directory of the test.
    var arguments: @Sendable (String) -> [String]
    var old: [String: [UInt8]] = [:]
  }

  static let jobs = [
    Job(
      testDescription: "pack over a file",
      arguments: {
        [
          "pack", Command.tiny, $0 + "/a.bale", "--recipe", "int4-experts", "--force",
        ]
      }, old: ["a.bale": [1, 2, 3]]),
    Job(testDescription: "convert to a directory", arguments: { ["convert", Command.tiny, $0 + "/out"] }),
    Job(
      testDescription: "pack in shards",
      arguments: {
        [
          "pack", Command.tiny, $0 + "/a.bale", "--split-max-size", "900K",
        ]
      }),
    Job(testDescription: "convert to GGUF", arguments: { ["convert", Command.tiny, $0 + "/a.gguf"] }),
    Job(testDescription: "unpack", arguments: { ["unpack", archive, $0 + "/out"] }),
  ]

  private static let archive: String = {
    let path = Command.sibling("bale-test-archive.bale")
    let result = try? Command.run(["pack", Command.tiny, path, "--force", "--quiet"])
    return result?.status == 0 ? path : ""
  }()

  private static let isExhaustive = getenv("BALE_EXHAUSTIVE") != nil

  private func prepare(_ job: Job) throws -> TemporaryDirectory {
    let directory = try TemporaryDirectory()
    for (name, bytes) in job.old { try directory.write(bytes, to: name) }
    return directory
  }

  private func arguments(_ job: Job, _ directory: TemporaryDirectory) -> [String] {
    job.arguments(directory.path) + ["--quiet", "--threads", "2"]
  }

  private func expected(_ job: Job) throws -> [String: [UInt8]] {
    let directory = try prepare(job)
    #expect(try Command.run(arguments(job, directory)).status == 0)
    return try Command.tree(directory.path)
  }

  private func next(_ at: Int) -> Int { Self.isExhaustive || at < 4 ? at + 1 : at * 2 }

  private static let errors = [EIO, ENOSPC, EDQUOT, EINTR]
  private static let calls = ["pwrite", "fsync", "rename", "ftruncate", "close", "open", "copy", "fallocate"]

  @Test(arguments: jobs, calls)
  func aFailingCallLeavesTheOldOrTheNew(_ job: Job, _ call: String) throws {
    let new = try expected(job)
    for first in Self.isExhaustive ? Array(Self.errors.indices) : [call.utf8.count] {
      var at = 1
      var turn = first
      while true {
        let code = Self.errors[turn % Self.errors.count]
        if !Self.isExhaustive { turn += 1 }
        let directory = try prepare(job)
        let fault = Fault(call: call, kind: "\(code)", at: at, below: directory.path)
        let (result, struck) = try fault.run(arguments(job, directory))
        let tree = try Command.tree(directory.path)
        let place: Comment = "\(call) \(at), errno \(code): \(result.errors) \(tree.keys.sorted())"
        if result.status == 0 {
          #expect(tree == new && result.errors.isEmpty, place)
        } else {
          #expect(result.status == 2 && result.errorLines.count == 1, place)
          #expect(tree == job.old || tree == new, place)
        }
        if !struck { break }
        at = next(at)
      }
      #expect(at > 1 || call == "copy" || call == "fallocate", "no \(call) was made to fail")
    }
  }

  @Test(arguments: jobs, ["pwrite", "copy"]) func shortWritesAreCompleted(_ job: Job, _ call: String) throws {
    let new = try expected(job)
    for at in [1, 2, 5] {
      let directory = try prepare(job)
      let fault = Fault(call: call, kind: "short", at: at, below: directory.path)
      #expect(try fault.run(arguments(job, directory)).result.status == 0)
      #expect(try Command.tree(directory.path) == new)
    }
  }

  /// The process is killed, or the power fails: what was written and not flushed is lost, or every second sector of it.
  @Test(arguments: jobs, ["pwrite", "fsync", "rename", "copy"])
  func endedRunsLeaveNothingIncompleteUnderTheFinalName(_ job: Job, _ call: String) throws {
    let new = try expected(job)
    for kind in Self.isExhaustive ? ["kill", "power", "power-half"] : ["power", "power-half"] {
      try expectWhole(job, new, call, kind)
    }
  }

  private func expectWhole(_ job: Job, _ new: [String: [UInt8]], _ call: String, _ kind: String) throws {
    var at = kind == "power-half" && !Self.isExhaustive ? 3 : 1
    while true {
      let directory = try prepare(job)
      let fault = Fault(call: call, kind: kind, at: at, below: directory.path)
      let (result, struck) = try fault.run(arguments(job, directory))
      if !struck { break }
      #expect(result.status == nil)
      let tree = try Command.tree(directory.path).filter { !$0.key.contains(".partial-") }
      // A run that is killed between two shards leaves some of them, each complete.
      let isPart = !tree.isEmpty && tree.allSatisfy { new[$0.key] == $0.value }
      #expect(tree == job.old || isPart, "\(kind) \(call) \(at): \(tree.keys.sorted())")
      at = next(at)
    }
  }

  /// Memory that the system doesn't give ends the process: what was there stays, or what is new is complete.
  @Test(arguments: jobs) func anAllocationThatFailsLeavesTheOldOrTheNew(_ job: Job) throws {
    let new = try expected(job)
    var failed = 0
    for at in [1, 2, 3, 5, 8, 13, 21, 34, 55] {
      let directory = try prepare(job)
      let fault = Fault(call: "malloc", kind: "\(ENOMEM)", at: at, below: directory.path)
      let (result, struck) = try fault.run(arguments(job, directory))
      let tree = try Command.tree(directory.path).filter { !$0.key.contains(".partial-") }
      let isPart = !tree.isEmpty && tree.allSatisfy { new[$0.key] == $0.value }
      #expect(result.status == 0 ? tree == new : tree == job.old || isPart, "\(at): \(tree.keys.sorted())")
      failed += struck && result.status != 0 ? 1 : 0
    }
    #expect(failed > 0, "no allocation was made to fail")
  }

  @Test(arguments: ["\(EIO)", "short", "\(EINTR)"]) func readsThatFailOrComeShort(_ kind: String) throws {
    for at in [1, 2, 3, 8, 20] {
      let directory = try TemporaryDirectory()
      let arguments = ["pack", Command.tiny, directory.file("a.bale"), "--quiet"]
      let result = try Fault(call: "pread", kind: kind, at: at, below: Command.tiny).run(arguments).result
      #expect(result.status == (kind == "\(EIO)" ? 2 : 0), "\(at): \(result.errors)")
      #expect(try Path.entries(of: directory.path) == (result.status == 0 ? ["a.bale"] : []))
    }
  }

  @Test(arguments: ["cut", "touch"], ["pack", "convert"])
  func aSourceThatChangesIsNoticed(_ kind: String, _ command: String) throws {
    for at in [6, 12] {
      let directory = try TemporaryDirectory()
      let source = try directory.write(Fixtures.bytes(Command.tiny + "/model.safetensors"), to: "in/a.safetensors")
      let output = directory.file(command == "pack" ? "out/a.bale" : "out/a.safetensors")
      try Path.createDirectory(directory.file("out"))
      let more = command == "pack" ? [] : ["--quantize", "f16"]
      let fault = Fault(call: "pread", kind: kind, at: at, below: directory.file("in"), file: source)
      let (result, struck) = try fault.run([command, source, output, "--quiet"] + more)
      #expect(struck && result.status == 2 && result.errors.contains("changed while it was being read"), "\(result)")
      #expect(result.errorLines.count == 1)
      #expect(try Path.entries(of: directory.file("out")).isEmpty)
    }
  }
}
