import BaleFormat
import Checkpoints
import Codecs
import Conversion
import TestSupport
import Testing
import Verification

/// Encodings whose planes take as many bytes as they come to.
@Suite struct VariablePackTests {
  private let directory: TemporaryDirectory
  private let resources = Resources(threads: 2, memory: 64 << 20)

  init() throws { directory = try TemporaryDirectory() }

  private func recipe(_ encoding: String) throws -> Recipe {
    let treatment = try Treatment(parsing: encoding)
    return Recipe(
      name: encoding, rules: ["experts", "attention", "linear"].map { Recipe.Rule(Selector($0), treatment) })
  }

  @Test(arguments: ["spqr:bits=3", "spqr:bits=4,rows=8,columns=32"]) func packsVerifiesAndComesBack(
    _ encoding: String
  ) throws {
    try Jobs.pack(Jobs.tiny, to: directory.file("a.bale"), recipe: recipe(encoding))
    let report = try Verifier(directory.file("a.bale"), against: Jobs.tiny).run(resources: resources) { _ in }
    #expect(report.holds, "\(report.mismatches)")
    let kinds = Dictionary(grouping: report.comparison, by: \.difference.kind).mapValues(\.count)
    #expect(kinds[.values] == 32)
    let restored = try Jobs.unpack(directory.file("a.bale"), to: directory.file("back"))
    #expect(restored.count == 5 && restored.filter(\.isOriginal).count == 4)
    let values = try Jobs.values(directory.file("a.bale"))
    let dense = try Jobs.pack(
      Jobs.tiny, to: directory.file("b.bale"), recipe: recipe("bilevel" + encoding.dropFirst("spqr".count)))
    let stored = try Checkpoints.open(directory.file("a.bale"))
    for (tensor, cost) in zip(dense.plan.tensors, dense.statistics) where !tensor.isExact {
      #expect(values[tensor.name]?.encoding.hasPrefix("spqr") == true)
      #expect(stored.tensors.first { $0.name == tensor.name }?.error?.relativeMSE == cost.relativeMSE)
    }
  }

  @Test(arguments: ["keep", "lossless"]) func repackingKeepsEveryBit(_ second: String) throws {
    try Jobs.pack(Jobs.tiny, to: directory.file("a.bale"), recipe: recipe("spqr:bits=2"))
    let recipe = try second == "keep" ? Recipe(name: second, rules: []) : Recipe(named: second)
    try Jobs.pack(directory.file("a.bale"), to: directory.file("b.bale"), recipe: recipe)
    let differences = try CheckpointDiff(
      Checkpoints.open(directory.file("a.bale")), Checkpoints.open(directory.file("b.bale"))
    ).run(resources: resources) { _ in }
    #expect(differences.allSatisfy { $0.kind == .identical })
    let report = try Verifier(directory.file("b.bale"), against: Jobs.tiny).run(resources: resources) { _ in }
    #expect(report.holds)
  }

  @Test func quantizesAgainFromValues() throws {
    try Jobs.pack(Jobs.tiny, to: directory.file("a.bale"), recipe: recipe("spqr:bits=4"))
    try Jobs.convert(directory.file("a.bale"), to: directory.file("a"), dequantized: .bf16)
    try Jobs.convert(directory.file("a.bale"), to: directory.file("f"), dequantized: .f32)
    let differences = try CheckpointDiff(
      Checkpoints.open(directory.file("a.bale")), Checkpoints.open(directory.file("f"))
    ).run(resources: resources) { _ in }
    #expect(differences.allSatisfy { $0.kind == .identical })
  }
}
