import ByteIO
import JSON
import Safetensors
import Tensors
import TestSupport
import Testing

/// `experts`, `extract` and `pack --dedupe-experts` as processes.
@Suite struct ExpertCommandTests {
  private let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  @Test func expertsMeasuresAndDeclines() throws {
    let page = directory.file("page.html")
    let result = try Command.run(["experts", Command.tiny, "--html", page])
    #expect(result.status == 0 && result.errors.isEmpty, "\(result.errors)")
    #expect(result.output.contains("no gain"))
    let html = String(decoding: try Fixtures.bytes(page), as: UTF8.self)
    #expect(html.hasPrefix("<!DOCTYPE html>") && html.contains("Layer 1") && html.contains("data:image/bmp"))
    let json = try JSONValue(parsing: Array(Command.run(["experts", Command.tiny, "--json"]).output.utf8))
    #expect(json["mean_saving"]?.double == 0)
    #expect(json["layers"]?.array?.count == 2)
    #expect(json["layers"]?[0]?["matrices"]?.array?.count == 3)
    #expect(try Command.run(["experts", Command.tiny, "--html", page]).status == 2)
  }

  @Test func expertsOfADenseModelIsAnError() throws {
    let path = directory.file("dense.safetensors")
    let shape = try #require(Shape([2, 2]))
    try SafetensorsWriter.write(
      [.init(SafetensorsTensorSpec("model.layers.0.mlp.up_proj.weight", .u8, shape), [1, 2, 3, 4])], to: path)
    let result = try Command.run(["experts", path])
    #expect(result.status == 2 && result.errors.contains("no routed experts"))
    #expect(try Command.run(["pack", path, directory.file("a.bale"), "--dedupe-experts"]).status == 2)
  }

  @Test func extractWritesOneExpert() throws {
    let bale = directory.file("a.bale")
    let expert = directory.file("e.safetensors")
    #expect(try Command.run(["pack", Command.tiny, bale, "--recipe", "int4-experts", "--quiet"]).status == 0)
    let result = try Command.run(["extract", bale, expert, "--layer", "1", "--expert", "3"])
    #expect(result.status == 0 && result.output.contains("one read of"), "\(result.errors)")
    let file = try SafetensorsFile(expert)
    #expect(file.tensors.count == 3)
    #expect(file.tensors.allSatisfy { $0.name.contains("layers.1.block_sparse_moe.experts.3.") && $0.dtype == .bf16 })
    let missing = try Command.run(["extract", bale, expert, "--layer", "9", "--expert", "0", "--force"])
    #expect(missing.status == 2 && missing.errors.contains("no record of expert 0 of layer 9"))
  }

  @Test func dedupeOfExpertsFromScratchCostsNothing() throws {
    let (plain, dedupe) = (directory.file("plain.bale"), directory.file("dedupe.bale"))
    #expect(try Command.run(["pack", Command.tiny, plain, "--recipe", "mxfp4-experts", "--quiet"]).status == 0)
    let result = try Command.run(["pack", Command.tiny, dedupe, "--recipe", "mxfp4-experts", "--dedupe-experts"])
    #expect(result.status == 0 && result.output.contains("no gain"), "\(result.errors)")
    let sizes = try [plain, dedupe].map { try InputFile($0).size }
    #expect(Double(sizes[1]) <= Double(sizes[0]) * 1.001, "\(sizes)")
    #expect(try Command.run(["verify", dedupe, "--against", Command.tiny]).status == 0)
  }

  @Test func pruneDropsOneExpertOfEachLayer() throws {
    let target = directory.file("pruned")
    let result = try Command.run(["prune", Command.tiny, target, "--drop", "*:2"])
    #expect(result.status == 0, "\(result.errors)")
    let config = try JSONValue(parsing: Fixtures.bytes(Path.join(target, "config.json")))
    #expect(config["num_local_experts"]?.int == 3)
    #expect(try Command.run(["inspect", target]).output.contains("18"))
    #expect(try Command.run(["prune", Command.tiny, directory.file("b"), "--drop", "0:1"]).status == 2)
    #expect(try Command.run(["prune", Command.tiny, directory.file("b"), "--drop", "*:9"]).status == 2)
  }

  @Test(arguments: [["--max-loss", "0.1"], ["--target-bits", "3"], ["--dedupe-experts", "--max-loss", "2"]])
  func refusesOptionsThatDoNotGoTogether(_ options: [String]) throws {
    let result = try Command.run(["pack", Command.tiny, directory.file("a.bale")] + options)
    #expect(result.status == 2, "\(result.output)")
  }
}
