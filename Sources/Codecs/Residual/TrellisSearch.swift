/// Finds the codes of one column: the walk through the trellis with the least squared error plus `lambda` times its
/// bits (Viterbi, IEEE Trans. Information Theory 13, 1967).
public struct TrellisSearch {
  /// Price of a bit, in squares of the step.
  public var lambda: Float
  private var choices: [Int16]
  private var origins: [UInt8]

  /// - Parameter rows: the most rows that a search will see.
  public init(rows: Int, lambda: Float) {
    self.lambda = lambda
    choices = [Int16](repeating: 0, count: rows * Trellis.states)
    origins = [UInt8](repeating: 0, count: rows * Trellis.states)
  }

  /// Quantizes `values` (in units of the column's step), starting in state 0.
  /// - Parameters:
  ///   - even, odd: costs of the two quantizers.
  ///   - codes: room for as many codes.
  public mutating func quantize(
    _ values: UnsafeBufferPointer<Float>, even: TrellisCosts, odd: TrellisCosts,
    into codes: UnsafeMutableBufferPointer<Int16>
  ) {
    guard !values.isEmpty else { return }
    let prices = (even: prices(even), odd: prices(odd))
    var total: SIMD8<Float> = SIMD8(repeating: .infinity)
    total[0] = 0
    for row in values.indices {
      let magnitude = min(abs(values[row]), Float(2 * TrellisModel.largestCode - 2))
      let byEven = Self.candidates(magnitude, odd: 0, prices.even)
      let byOdd = Self.candidates(magnitude, odd: 1, prices.odd)
      total = extend(total, row: row, negative: values[row] < 0, byEven, byOdd)
    }
    trace(from: total, rows: values.count, into: codes)
  }

  private func prices(_ costs: TrellisCosts) -> SIMD16<Float> {
    var result = SIMD16<Float>()
    for magnitude in 0..<16 { result[magnitude] = lambda * costs[magnitude] }
    return result
  }

  /// The best code of each parity, and what it costs.
  private struct Candidates {
    var cost = SIMD2<Float>(repeating: .infinity)
    var code = SIMD2<Int16>(repeating: 0)

    @inline(__always)
    mutating func offer(_ candidate: Int, cost offered: Float) {
      let parity = candidate & 1
      if offered < cost[parity] {
        cost[parity] = offered
        code[parity] = Int16(truncatingIfNeeded: candidate)
      }
    }
  }

  /// Zero, the two codes around the value, and, next to zero, the one of the other sign that has the parity which
  /// would else be missing.
  @inline(__always)
  private static func candidates(_ magnitude: Float, odd: Int, _ prices: SIMD16<Float>) -> Candidates {
    var result = Candidates()
    let shift = Float(odd)
    let below = Int((magnitude + shift) / 2)
    for code in [0, below, below + 1] {
      let multiple = code == 0 ? 0 : Float(2 * code) - shift
      let error = magnitude - multiple
      result.offer(code, cost: error * error + prices[min(code, 15)])
    }
    let error = magnitude + 2 - shift
    result.offer(-1, cost: error * error + prices[1])
    return result
  }

  /// One row further: each state is reached from two, by a code of the parity that leads to it.
  @inline(__always)
  private mutating func extend(
    _ total: SIMD8<Float>, row: Int, negative: Bool, _ byEven: Candidates, _ byOdd: Candidates
  ) -> SIMD8<Float> {
    var reached = SIMD8<Float>(repeating: .infinity)
    for state in 0..<Trellis.states {
      let candidates = state & 1 == 0 ? byEven : byOdd
      for parity in 0..<2 {
        let next = Int(Trellis.next[2 * state + parity])
        let cost = total[state] + candidates.cost[parity]
        if cost < reached[next] {
          reached[next] = cost
          choices[row * Trellis.states + next] = negative ? -candidates.code[parity] : candidates.code[parity]
          origins[row * Trellis.states + next] = UInt8(state)
        }
      }
    }
    return reached
  }

  private func trace(from total: SIMD8<Float>, rows: Int, into codes: UnsafeMutableBufferPointer<Int16>) {
    var state = 0
    for other in 1..<Trellis.states where total[other] < total[state] { state = other }
    for row in stride(from: rows - 1, through: 0, by: -1) {
      codes[row] = choices[row * Trellis.states + state]
      state = Int(origins[row * Trellis.states + state])
    }
  }
}
