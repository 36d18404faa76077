import JSON
import TestSupport
import Testing

@testable import Experts

@Suite struct ExpertReportTests {
  static func report() throws -> ExpertReport {
    let family = MemoryExperts.family(count: 4, correlation: 0.9, hidden: 16, width: 16, seed: 1)
    return ExpertReport(
      title: "a <model>", layers: [try ExpertMeter().measure(family, layer: 0, align: true)],
      points: [.init(curve: "shared", bits: 2, error: 0.01), .init(curve: "plain", bits: 4, error: 0.01)])
  }

  @Test func jsonHoldsWhatWasMeasured() throws {
    let report = try Self.report()
    let read = try JSONValue(parsing: report.json.encoded())
    #expect(read["title"]?.string == "a <model>")
    let matrix = try #require(read["layers"]?[0]?["matrices"]?[1])
    #expect(matrix["matrix"]?.string == "up")
    #expect(matrix["cosines_after"]?.array?.count == 16)
    let saving = try #require(matrix["saving"]?.double)
    #expect(abs(saving - report.layers[0].matrices[1].clusters.saving) < 1e-5)
    #expect(read["rate_curve"]?[1]?["bits"]?.double == 4)
  }

  @Test func identicalExpertsHaveNoNumberForTheIdeal() throws {
    let one = MemoryExperts.family(count: 1, correlation: 0, hidden: 4, width: 4, seed: 1).weights[0]
    let same = MemoryExperts(hidden: 4, wide: 4, weights: [one, one])
    let layer = try ExpertMeter().measure(same, layer: 0, align: false)
    let report = ExpertReport(title: "", layers: [layer])
    #expect(report.json["layers"]?[0]?["matrices"]?[0]?["ideal_after"]?.isNull == true)
  }

  @Test func pageStandsAlone() throws {
    let html = try Self.report().html
    #expect(html.contains("<h1>a &lt;model&gt;</h1>"))
    #expect(html.contains("<svg"))
    #expect(!html.contains("http") && !html.contains("<script"))
    #expect(html.split(separator: "src=").dropFirst().allSatisfy { $0.hasPrefix("\"data:image/bmp;base64,Qk") })
    // A dendrogram has a bracket for each of three merges, in three matrices; then two rate curves and the axes.
    #expect(html.split(separator: "<polyline").count - 1 == 3 * 3 + 3)
  }

  @Test func measuredPointsAreDrawnAndListed() throws {
    var report = try Self.report()
    let text = """
      {"points": [{"curve": "int4", "bits": 4.25, "error": 0.01, "perplexity": 6.1}, {"curve": "nothing"},
      {"curve": "none", "bits": 16, "error": 0, "perplexity": 6.0}]}
      """
    report.add(measurement: try JSONValue(parsing: Array(text.utf8)))
    report.addBound()
    #expect(report.points.count == 2 + 2 + 16)
    #expect(report.json["rate_curve"]?[2]?["perplexity"]?.double == 6.1)
    let html = report.html
    #expect(html.contains("<td>int4</td><td>4.250</td><td>0.01000</td><td>6.100</td>"))
    #expect(html.split(separator: "<svg").count - 1 == 3 + 2, "errors and perplexities")
  }

  @Test func mapIsABitmapOfThePairs() throws {
    let gram = GramMatrix(count: 2, values: [1, -1, -1, 1])
    let bitmap = SimilarityMap(gram).bitmap.bytes
    #expect(bitmap.count == 54 + 1024 + 8)
    #expect(Array(bitmap.suffix(8)) == [1, 255, 0, 0, 255, 1, 0, 0])
    // The colours of 1, 0 and -1: blue, white, red, as blue, green, red.
    #expect(
      [255, 128, 1].map { Array(bitmap[54 + 4 * $0..<57 + 4 * $0]) } == [[255, 1, 1], [255, 255, 255], [1, 1, 255]])
  }
}
