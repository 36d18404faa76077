/// The 256 values of the dynamic map (Dettmers, "8-Bit Approximations for Parallelism in Deep Learning", 2016), as
/// bitsandbytes makes them: 0, 1, and for i in 0...6 of both signs the middles of 2^i equal parts of [0.1, 1] times
/// 10^(i - 6).
enum Dynamic8 {
  static let values: [Float] = {
    var magnitudes: [Float] = []
    for exponent in 0..<7 {
      let parts = 1 << exponent
      let power = powers[exponent]
      for part in 0..<parts { magnitudes.append(power * middle(part, of: parts)) }
    }
    return (magnitudes.map { -$0 } + magnitudes + [0, 1]).sorted()
  }()

  private static let powers: [Float] = [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1]

  private static func middle(_ part: Int, of parts: Int) -> Float {
    (bound(part, of: parts) + bound(part + 1, of: parts)) / 2
  }

  /// Bound number `index` of the parts, rounded once: from the lower end in the lower half, else from the upper.
  private static func bound(_ index: Int, of parts: Int) -> Float {
    let step = Double((1 - Float(0.1)) / Float(parts))
    return index * 2 <= parts
      ? Float(Double(Float(0.1)) + step * Double(index)) : Float(1 - step * Double(parts - index))
  }

  /// The code of the nearest value, the smaller at a tie.
  static func nearestCode(_ value: Float) -> UInt8 {
    var (low, high) = (0, values.count - 1)
    while high - low > 1 {
      let middle = (low + high) / 2
      if values[middle] <= value { low = middle } else { high = middle }
    }
    return UInt8(value - values[low] <= values[high] - value ? low : high)
  }
}
