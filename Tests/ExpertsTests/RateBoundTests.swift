import Codecs
import TestSupport
import Testing

@testable import Experts

@Suite struct RateBoundTests {
  private func similarity(count: Int, correlation: Double, samples: Int, power: Double = 2) -> MatrixSimilarity {
    let values = (0..<count * count).map { index in
      Double(samples) * power * (index % count == index / count ? 1 : correlation)
    }
    let gram = GramMatrix(count: count, values: values)
    return MatrixSimilarity(matrix: .gate, before: gram, after: gram, samples: samples, overhead: 0)
  }

  /// One principal axis has variance 1 + (N - 1) c, the others 1 - c.
  @Test(arguments: [(8, 0.95), (64, 0.3), (2, 0.0)]) func equalCorrelationsHaveAFormula(count: Int, correlation: Double)
  {
    let layer = LayerSimilarity(
      layer: 0, matrices: [similarity(count: count, correlation: correlation, samples: 1000)], order: nil)
    let bound = RateBound([layer])
    let level = (1 - correlation) / 10
    let one = 0.5 * BinaryLogarithm.of((1 + Double(count - 1) * correlation) / level)
    let bits = (one + Double(count - 1) * 0.5 * BinaryLogarithm.of((1 - correlation) / level)) / Double(count)
    #expect(abs(bound.bits(error: level) - bits) < 1e-6)
    #expect(abs(bound.error(bits: bits) - level) < 1e-9)
    // Beyond what plain weights need it saves what the determinant says.
    #expect(
      abs(
        0.5 * BinaryLogarithm.of(1 / level) - bits - SavingFormula.ideal(layer.matrices[0].after, samples: 1 << 40))
        < 1e-6)
  }

  /// Below the variance of what is an expert's own, only the mean is coded.
  @Test func fewBitsGoToWhatIsShared() {
    let layer = LayerSimilarity(
      layer: 0, matrices: [similarity(count: 4, correlation: 0.9, samples: 10)], order: nil)
    let bound = RateBound([layer])
    let bits = 0.5 * BinaryLogarithm.of(3.7 / 0.5) / 4
    #expect(abs(bound.error(bits: bits) - (0.5 + 3 * 0.1) / 4) < 1e-9)
    #expect(abs(bound.error(bits: 0) - 1) < 1e-9)
  }

  @Test func eigenvaluesKeepTraceAndDeterminant() throws {
    var random = SplitMix64(seed: 3)
    let size = 9
    let rows = (0..<size * 20).map { _ in random.normal() }
    let matrix = (0..<size * size).map { index in
      (0..<20).reduce(0.0) { $0 + rows[index / size * 20 + $1] * rows[index % size * 20 + $1] }
    }
    let values = SymmetricEigenvalues.of(matrix, size: size)
    let trace = (0..<size).reduce(0.0) { $0 + matrix[$1 * size + $1] }
    #expect(abs(values.reduce(0, +) / trace - 1) < 1e-12)
    let logarithm = try #require(SavingFormula.logDeterminant(matrix, size: size))
    #expect(abs(values.reduce(0.0) { $0 + BinaryLogarithm.of($1) } - logarithm) < 1e-9)
    #expect(SymmetricEigenvalues.of([5], size: 1) == [5])
  }

  @Test func nothingCostsNothing() {
    #expect(RateBound([]).bits(error: 0.1) == 0)
    let zero = GramMatrix(count: 2)
    let matrix = MatrixSimilarity(matrix: .up, before: zero, after: zero, samples: 5, overhead: 0)
    #expect(RateBound([LayerSimilarity(layer: 0, matrices: [matrix], order: nil)]).error(bits: 1) == 0)
  }
}
