import TestSupport
import Testing

/// What is written doesn't depend on how many threads write it, nor on the memory they may take.
@Suite struct DeterminismTests {
  static let jobs: [String: [String]] = [
    "lossless": ["pack", Command.tiny, "a.bale", "--lossless"],
    "recipe": ["pack", Command.tiny, "a.bale", "--recipe", "int4-experts", "--parity", "2%"],
    "shared experts": ["pack", Command.tiny, "a.bale", "--dedupe-experts"],
    "GGUF": ["convert", Command.tiny, "a.gguf", "--quantize", "q4_k"],
    "layout": ["convert", Command.tiny, "out", "--layout", "gptq"],
  ]

  private func written(_ arguments: [String], _ options: [String]) throws -> [String: [UInt8]] {
    let directory = try TemporaryDirectory()
    var arguments = arguments
    arguments[2] = directory.file(arguments[2])
    let result = try Command.run(arguments + ["--quiet"] + options)
    #expect(result.status == 0, "\(result.errors)")
    return try Command.tree(directory.path)
  }

  @Test(arguments: jobs.keys.sorted()) func bytesAreThoseOfOneThread(_ job: String) throws {
    let arguments = try #require(Self.jobs[job])
    let expected = try written(arguments, ["--threads", "1"])
    #expect(!expected.isEmpty)
    for options in [["--threads", "3", "--memory", "16M"], ["--threads", "16"], ["--threads", "7", "--memory", "2G"]] {
      #expect(try written(arguments, options) == expected, "\(options)")
    }
  }
}
