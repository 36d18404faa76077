/// BF16 numbers that look like weights: sums of three uniform ones from a linear congruential generator (Knuth, MMIX).
struct NormalBF16 {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt16 {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    let sum = (state >> 16 & 0xFFFF) + (state >> 32 & 0xFFFF) + (state >> 48)
    let value = (Float(sum) / 65536 - 1.5) * 0.04
    return UInt16(truncatingIfNeeded: value.bitPattern >> 16)
  }
}
