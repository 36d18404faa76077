import Codecs
import Tensors
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

  /// Mantissas of a normal distribution, by far the most skewed of their bytes first: not worth coding.
  @Test(arguments: [SplitCodec(.bf16), SplitCodec(.f32), SplitCodec(.f16)].compactMap { $0 })
  func mantissasOfWeightsAreNot(codec: SplitCodec) throws {
    var random = SplitMix64(seed: 2)
    let values = (0..<50_000).map { _ in Float(random.normal() * 0.02) }
    var source = [UInt8](repeating: 0, count: values.count * codec.dtype.bits / 8)
    try values.withUnsafeBufferPointer { values in
      try source.withUnsafeMutableBytes { try Elements.encode(values, codec.dtype, into: $0) }
    }
    let planes = try Lossless.split(codec, source)
    #expect(isLikely(planes[0]))
    for plane in planes.dropFirst() { #expect(!isLikely(plane)) }
  }

  @Test func planesOfF32ThatWasBF16Are() throws {
    var random = SplitMix64(seed: 3)
    let source = (0..<10_000).flatMap { _ in
      withUnsafeBytes(of: Float(random.normal()).bitPattern & 0xFFFF_0000) { Array($0) }
    }
    let planes = try Lossless.split(#require(SplitCodec(.f32)), source)
    #expect(planes.map(isLikely) == [true, true, true, true])
  }
}
