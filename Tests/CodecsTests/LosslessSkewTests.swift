import Codecs
import TestSupport
import Testing

@Suite struct LosslessSkewTests {
  private func isLikely(_ bytes: [UInt8]) -> Bool { bytes.withUnsafeBytes { ByteSkew.isLikely($0) } }

  @Test(arguments: UInt64(0)..<20) func noiseIsNot(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    #expect(!isLikely((0..<100_000).map { _ in UInt8(truncatingIfNeeded: random.next()) }))
    #expect(!isLikely((0..<4096).map { _ in UInt8(truncatingIfNeeded: random.next()) }))
  }

  @Test func constantsAndFewValuesAre() {
    var random = SplitMix64(seed: 1)
    #expect(isLikely([UInt8](repeating: 0, count: 100_000)))
    #expect(isLikely((0..<100_000).map { _ in UInt8(truncatingIfNeeded: random.next()) & 0xEF }))
    #expect(isLikely([7, 7]))
  }

  @Test func tooFewToTell() {
    #expect(!isLikely([]))
    #expect(!isLikely([7]))
    #expect(!isLikely([7, 8]))
  }

  /// BF16 mantissas of a normal distribution have 7.92 bits of entropy given the exponent: not worth coding.
  @Test func mantissasOfWeightsAreNot() {
    var random = SplitMix64(seed: 2)
    let mantissas = (0..<50_000).map { _ in
      let bits = Float(random.normal() * 0.02).bitPattern
      return UInt8(truncatingIfNeeded: bits >> 15) & 0xFE | UInt8(bits >> 31)
    }
    #expect(!isLikely(mantissas))
  }
}
