import Codecs
import Experts
import TestSupport
import Testing

@Suite struct ExpertMeterTests {
  /// -(1/2N) [log2(1 + (N-1) c) + (N-1) log2(1 - c)].
  static func formula(_ count: Int, _ correlation: Double) -> Double {
    let n = Double(count)
    return -(BinaryLogarithm.of(1 + (n - 1) * correlation) + (n - 1) * BinaryLogarithm.of(1 - correlation)) / (2 * n)
  }

  @Test(arguments: [8, 64], [0.3, 0.9, 0.95, 0.98])
  func idealSavingIsTheFormulas(_ count: Int, _ correlation: Double) throws {
    let family = MemoryExperts.family(count: count, correlation: correlation, hidden: 64, width: 48, seed: 1)
    let layer = try ExpertMeter().measure(family, layer: 0, align: false)
    let ideal = Self.formula(count, correlation)
    for matrix in layer.matrices {
      #expect(abs(matrix.before.meanCorrelation - correlation) < 0.05)
      #expect(abs(matrix.idealBefore - ideal) < 0.02 + 0.03 * ideal, "\(matrix.idealBefore) for \(ideal)")
      if correlation >= 0.9 {
        #expect(matrix.clusters.saving >= 0.85 * ideal)
        #expect(matrix.clusters.members == [Array(0..<count)])
      }
      #expect(matrix.clusters.saving <= matrix.idealBefore + 1e-9)
    }
  }

  @Test func stripsDoNotChangeTheResult() throws {
    let family = MemoryExperts.family(count: 5, correlation: 0.5, hidden: 33, width: 17, seed: 2)
    var small = ExpertMeter()
    small.stripBytes = 4 * 17 * 5 * 2
    for matrix in ExpertMatrix.allCases {
      let whole = try ExpertMeter().gram(family, layer: 0, matrix: matrix)
      let strips = try small.gram(family, layer: 0, matrix: matrix)
      #expect(zip(whole.values, strips.values).allSatisfy { abs($0 - $1) < 1e-3 })
    }
  }

  @Test func orthogonalExpertsDecline() throws {
    for count in [2, 8, 64] {
      let family = MemoryExperts.family(count: count, correlation: 0, hidden: 64, width: 48, seed: 3)
      for matrix in try ExpertMeter().measure(family, layer: 0, align: true).matrices {
        #expect(!matrix.clusters.shares, "\(count) experts: \(matrix.clusters.saving)")
        #expect(matrix.idealBefore < 0.02)
      }
    }
  }

  @Test func twoFamiliesAreTwoClusters() throws {
    var mixed = MemoryExperts.family(count: 4, correlation: 0.95, hidden: 32, width: 32, seed: 4)
    let other = MemoryExperts.family(count: 4, correlation: 0.95, hidden: 32, width: 32, seed: 5)
    mixed.weights = zip(mixed.weights, other.weights).flatMap { [$0, $1] }
    let orders = (0..<8).map { expert in
      var random = SplitMix64(seed: UInt64(expert + 100))
      return Array(0..<32).shuffled(using: &random)
    }
    for matrix in try ExpertMeter().measure(mixed.shuffled(by: orders), layer: 0, align: true).matrices {
      #expect(matrix.clusters.members == [[0, 2, 4, 6], [1, 3, 5, 7]])
      #expect(matrix.idealBefore < 0.2)
    }
  }

  @Test func degenerateLayers() throws {
    let one = MemoryExperts.family(count: 1, correlation: 0, hidden: 8, width: 8, seed: 6)
    let none = MemoryExperts(hidden: 8, wide: 8, weights: [])
    let zero = MemoryExperts(
      hidden: 8, wide: 8, weights: (0..<4).map { _ in MemoryExperts.cut([Float](repeating: 0, count: 192), size: 64) })
    for source in [one, none, zero] {
      for matrix in try ExpertMeter().measure(source, layer: 0, align: true).matrices {
        #expect(!matrix.clusters.shares)
        #expect(matrix.clusters.saving == 0)
      }
    }
    let same = MemoryExperts(hidden: 8, wide: 8, weights: [one.weights[0], one.weights[0], one.weights[0]])
    for matrix in try ExpertMeter().measure(same, layer: 0, align: true).matrices {
      #expect(matrix.idealAfter == .infinity)
      #expect(matrix.clusters.members == [[0, 1, 2]])
    }
  }

  @Test(arguments: [Float.nan, .infinity]) func refusesWhatIsNotFinite(_ value: Float) {
    var family = MemoryExperts.family(count: 3, correlation: 0.9, hidden: 8, width: 8, seed: 7)
    family.weights[1][.up]?[5] = value
    #expect(throws: ExpertError.notFinite(layer: 0, expert: 1, matrix: .up)) {
      try ExpertMeter().measure(family, layer: 0, align: false)
    }
    #expect(throws: ExpertError.self) { try NeuronAlignment().align(family, layer: 0) }
  }

  /// Trained from scratch: nothing to share, aligned or not.
  @Test func tinyModelDeclines() throws {
    for layer in 0..<2 {
      let experts = try MemoryExperts.mixtral(Fixtures.samples + "/tiny-mixtral", layer: layer, experts: 4)
      for matrix in try ExpertMeter().measure(experts, layer: 0, align: true).matrices {
        #expect(!matrix.clusters.shares)
      }
    }
  }

  @Test(.enabled(if: Fixtures.hasShared, "shared/ is not beside the checkout"))
  func upcycledModelGains() throws {
    for layer in 0..<4 {
      let experts = try MemoryExperts.mixtral(Fixtures.shared("models/upcycled"), layer: layer, experts: 8)
      for matrix in try ExpertMeter().measure(experts, layer: 0, align: false).matrices {
        #expect(matrix.clusters.members == [Array(0..<8)])
        #expect(matrix.clusters.saving > 1.4)
      }
    }
  }
}
