import Checkpoints
import Codecs
import Conversion
import Experts
import TestSupport
import Testing

/// Families of made experts, packed as `bale pack --dedupe-experts` packs them: what centroids save at equal error
/// beside -log2 det R / 2N, which no code of Gaussian weights passes.
@Suite struct ExpertFamilyTests {
  private static func ideal(_ count: Int, _ correlation: Double) -> Double {
    let shared = BinaryLogarithm.of(1 + Double(count - 1) * correlation)
    return -(shared + Double(count - 1) * BinaryLogarithm.of(1 - correlation)) / Double(2 * count)
  }

  private func saving(_ sample: ExpertSample) throws -> Double {
    let directory = try TemporaryDirectory()
    let source = try sample.write(directory.file("model.safetensors"))
    let request = SharingRequest(goal: .error(0.005))
    let sharing = try SharingAnalysis(
      Checkpoints.open(source), recipe: Recipe(named: "mxfp4-experts"), request: request,
      resources: Resources(threads: 2, memory: 64 << 20)
    ).run { _ in }
    guard sharing.shares else { return 0 }
    return try #require(sharing.forecast).saving
  }

  @Test(arguments: [(8, 0.9), (8, 0.95), (8, 0.98), (64, 0.9), (64, 0.95), (64, 0.98)])
  func savesNearlyTheIdeal(count: Int, correlation: Double) throws {
    let sample = ExpertSample(count: count, hidden: 96, width: 48, correlation: correlation)
    let (saving, ideal) = (try saving(sample), Self.ideal(count, correlation))
    #expect(saving >= 0.85 * ideal, "\(saving) of \(ideal) bits")
    #expect(saving <= 1.05 * ideal, "\(saving) of \(ideal) bits")
  }

  /// Little is shared: little is saved, and never less than nothing.
  @Test(arguments: [8, 64]) func savesWhatLittleThereIs(count: Int) throws {
    let sample = ExpertSample(count: count, hidden: 96, width: 48, correlation: 0.3)
    let (saving, ideal) = (try saving(sample), Self.ideal(count, 0.3))
    #expect(saving > 0.03 && saving <= 1.05 * ideal, "\(saving) of \(ideal) bits")
  }
}
