import TestSupport
import Testing

/// What the command alone can write doesn't depend on threads or memory either (see `DeterminismTests`).
@Suite struct ThreadCountTests {
  static let jobs = [
    ["pack", Command.tiny, "a.bale", "--dedupe-experts"], ["convert", Command.tiny, "out", "--layout", "gptq"],
  ]

  private func written(_ arguments: [String], _ options: [String]) throws -> [String: [UInt8]] {
    let directory = try TemporaryDirectory()
    var arguments = arguments
    arguments[2] = directory.file(arguments[2])
    let result = try Command.run(arguments + ["--quiet"] + options)
    #expect(result.status == 0, "\(result.errors)")
    return try Command.tree(directory.path)
  }

  @Test(arguments: jobs) func bytesAreThoseOfOneThread(_ arguments: [String]) throws {
    let expected = try written(arguments, ["--threads", "1"])
    #expect(!expected.isEmpty)
    #expect(try written(arguments, ["--threads", "16", "--memory", "16M"]) == expected)
  }
}
