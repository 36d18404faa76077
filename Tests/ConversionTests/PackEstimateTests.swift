import Checkpoints
import Conversion
import TestSupport
import Testing

@Suite struct PackEstimateTests {
  private func sizes(_ source: String, _ recipe: Recipe, _ options: PackOptions) throws -> (PackEstimate, Int) {
    let directory = try TemporaryDirectory()
    let checkpoint = try Checkpoints.open(source)
    let plan = try PackPlan(checkpoint, recipe: recipe)
    let report = try Jobs.pack(source, to: directory.file("a.bale"), recipe: recipe, options: options)
    return (try PackEstimate(checkpoint, plan: plan, options: options), report.written.reduce(0) { $0 + $1.size })
  }

  @Test(arguments: ["mxfp4-experts", "int4-linear", "nf4-experts", "int8-linear"], [false, true])
  func anExactEstimateIsTheSizeWritten(_ recipe: String, sha256: Bool) throws {
    var options = PackOptions()
    options.sha256 = sha256
    let (estimate, written) = try sizes(Jobs.tiny, Recipe(named: recipe), options)
    #expect(estimate.isExact)
    #expect(estimate.size == written)
  }

  @Test func keepingIsExact() throws {
    let (estimate, written) = try sizes(Jobs.tiny, Recipe(name: "keep", rules: []), PackOptions())
    #expect(estimate.isExact && estimate.size == written)
  }

  @Test func compressedFilesTakeAtMostTheEstimate() throws {
    var options = PackOptions()
    options.isArchive = true
    let (estimate, written) = try sizes(Jobs.tiny, Recipe(named: "lossless"), options)
    #expect(!estimate.isExact)
    #expect(written <= estimate.size)
  }
}
