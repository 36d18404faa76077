import Checkpoints
import Conversion
import Tensors
import TestSupport
import Testing
import Verification

/// From `.bale` to `.bale`, and between containers.
@Suite struct RepackTests {
  private let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  private func expectRestored(_ path: String, location: SourceLocation = #_sourceLocation) throws {
    let restored = try Jobs.unpack(path, to: directory.file("back"))
    #expect(restored.count == 5 && restored.allSatisfy { $0.isOriginal }, sourceLocation: location)
  }

  @Test(arguments: ["lossless", "keep"], ["lossless", "keep"])
  func exactPacksOfExactPacksLeadBackToTheOriginal(_ first: String, _ second: String) throws {
    let recipe = { (name: String) in try name == "keep" ? Recipe(name: name, rules: []) : Recipe(named: name) }
    try Jobs.pack(Jobs.tiny, to: directory.file("a.bale"), recipe: recipe(first))
    try Jobs.pack(directory.file("a.bale"), to: directory.file("b.bale"), recipe: recipe(second))
    try expectRestored(directory.file("b.bale"))
  }

  @Test(arguments: ["int4-experts", "mxfp4-linear"]) func quantizingAnArchiveIsQuantizingTheSource(_ recipe: String)
    throws
  {
    try Jobs.pack(Jobs.tiny, to: directory.file("a.bale"))
    try Jobs.pack(directory.file("a.bale"), to: directory.file("b.bale"), recipe: recipe)
    try Jobs.pack(Jobs.tiny, to: directory.file("c.bale"), recipe: recipe)
    let (b, c) = (try Jobs.values(directory.file("b.bale")), try Jobs.values(directory.file("c.bale")))
    for (name, tensor) in c where !tensor.encoding.hasPrefix("plain") { #expect(b[name] == tensor, "\(name)") }
    let report = try Verifier(directory.file("b.bale"), against: Jobs.tiny)
      .run(resources: Resources(threads: 2, memory: 64 << 20)) { _ in }
    #expect(report.holds)
    try Jobs.unpack(directory.file("b.bale"), to: directory.file("b"))
    try Jobs.unpack(directory.file("c.bale"), to: directory.file("c"))
    #expect(try Jobs.contents(directory.file("b")) == Jobs.contents(directory.file("c")))
  }

  @Test(arguments: ["lossless", "keep"]) func repackingKeepsWhatQuantizingCost(_ second: String) throws {
    let recipe = try second == "keep" ? Recipe(name: second, rules: []) : Recipe(named: second)
    try Jobs.pack(Jobs.tiny, to: directory.file("a.bale"), recipe: "int4-experts")
    try Jobs.pack(directory.file("a.bale"), to: directory.file("b.bale"), recipe: recipe)
    let errors = { (name: String) in try Checkpoints.open(directory.file(name)).tensors.map(\.error) }
    #expect(try errors("b.bale") == errors("a.bale"))
    let report = try Verifier(directory.file("b.bale"), against: Jobs.tiny)
      .run(resources: Resources(threads: 2, memory: 64 << 20)) { _ in }
    #expect(report.holds)
    try Jobs.unpack(directory.file("a.bale"), to: directory.file("a"))
    try Jobs.unpack(directory.file("b.bale"), to: directory.file("b"))
    #expect(try Jobs.contents(directory.file("b")) == Jobs.contents(directory.file("a")))
  }

  @Test func safetensorsToGGUFAndBackKeepsTheValues() throws {
    try Jobs.convert(Jobs.tiny, to: directory.file("a.gguf"))
    try Jobs.convert(directory.file("a.gguf"), to: directory.file("b.safetensors"))
    #expect(try Jobs.values(directory.file("b.safetensors")) == Jobs.values(Jobs.tiny))
  }

  @Test func shardsAndOneFileHoldTheSame() throws {
    try Jobs.convert(Jobs.tiny, to: directory.file("cut"), shardSize: 300 << 10)
    try Jobs.convert(directory.file("cut"), to: directory.file("whole.safetensors"))
    #expect(try Jobs.values(directory.file("cut")) == Jobs.values(Jobs.tiny))
    #expect(try Jobs.values(directory.file("whole.safetensors")) == Jobs.values(Jobs.tiny))
  }

  @Test(.enabled(if: Fixtures.hasShared, "shared/ is not beside the checkout"))
  func quantizedGGUFSurvivesRecipesThatMoveItsCodes() throws {
    let source = Fixtures.shared("fixtures/gguf/tiny-MXFP4_MOE.gguf")
    try Jobs.pack(source, to: directory.file("a.bale"), recipe: "mxfp4-experts")
    let report = try Verifier(directory.file("a.bale"), against: source)
      .run(resources: Resources(threads: 2, memory: 64 << 20)) { _ in }
    #expect(report.holds)
    try Jobs.convert(directory.file("a.bale"), to: directory.file("b.gguf"))
    let (before, after) = (try Jobs.values(source), try Jobs.values(directory.file("b.gguf")))
    #expect(after == before)
  }
}
