import ByteIO
import TestSupport
import Testing

/// `bale convert --resume`, killed at its writes, renames and flushes, and started again.
@Suite(.enabled(if: Fault.isPossible, "no C compiler")) struct ResumeCommandTests {
  static let jobs: [[String]] = [
    ["a.gguf"], ["a.gguf", "--quantize", "q4_0"], ["a.gguf", "--split-max-size", "600K"],
    ["out", "--dequantize", "f32"], ["a.bale"], ["a.bale", "--quantize", "mxfp4", "--split-max-size", "600K"],
  ]

  private func arguments(_ job: [String], _ directory: TemporaryDirectory) -> [String] {
    ["convert", Command.tiny, directory.file(job[0]), "--quiet", "--threads", "2", "--memory", "16M"] + job.dropFirst()
  }

  @Test(arguments: jobs, ["pwrite", "fsync", "rename"])
  func aKilledRunGoesOn(_ job: [String], _ call: String) throws {
    let once = try TemporaryDirectory()
    #expect(try Command.run(arguments(job, once)).status == 0)
    let expected = try Command.tree(once.path)
    var at = 1
    while true {
      let directory = try TemporaryDirectory()
      let words = arguments(job, directory) + ["--resume"]
      let (result, struck) = try Fault(call: call, kind: "kill", at: at, below: directory.path).run(words)
      if !struck { break }
      #expect(result.status == nil)
      let again = try Command.run(words)
      #expect(again.status == 0, "\(call) \(at): \(again.errors)")
      #expect(try Command.tree(directory.path) == expected, "\(call) \(at)")
      at = at < 4 ? at + 1 : at * 2
    }
    #expect(at > 1)
  }

  @Test func aFullDiskIsGoneOnFrom() throws {
    let directory = try TemporaryDirectory()
    let words = arguments(["a.gguf"], directory) + ["--resume"]
    let failed = try Fault(call: "pwrite", kind: "28", at: 9, below: directory.path).run(words).result
    #expect(failed.status == 2 && failed.errors.contains("No space left"))
    #expect(try Path.entries(of: directory.path) == ["a.gguf.partial", "a.gguf.partial-journal"])
    let other = try Command.run(words + ["--quantize", "q8_0"])
    #expect(other.status == 2 && other.errors.contains("another run"))
    #expect(try Command.run(words).status == 0)
    #expect(try Path.entries(of: directory.path) == ["a.gguf"])
  }
}
