/// Frequencies of the codes in one context, out of 4096, from four bytes (specs/codecs/trellis.md, "Frequencies").
public struct TrellisModel: Sendable, Hashable {
  /// Share of the code 0, in 256ths.
  public var zero: UInt8
  /// Share of magnitude 1 among what isn't 0, in 256ths.
  public var one: UInt8
  /// Share of each further magnitude among what is at least as large, in 256ths.
  public var tail: UInt8
  /// Largest magnitude that occurs, 0...15. 15 stands for itself and all above.
  public var largest: UInt8

  static let total = 4096
  static let bits = 12
  static let escape = 15
  /// Largest magnitude of a code: an escape and an excess of 12 bits.
  public static let largestCode = 15 + 4095

  public init(zero: UInt8, one: UInt8, tail: UInt8, largest: UInt8) {
    self.zero = zero
    self.one = one
    self.tail = tail
    self.largest = largest
  }

  /// The model that fits how often each magnitude (the last: 15 or more) occurs.
  public init(fitting counts: [Int]) {
    let total = counts.reduce(0, +)
    let beyondZero = total - counts[0]
    let beyondOne = beyondZero - counts[1]
    let steps = counts.indices.dropFirst(2).reduce(0) { $0 + counts[$1] * ($1 - 1) }
    func share(_ part: Int, of whole: Int) -> UInt8 {
      whole == 0 ? 0 : UInt8(min(255, (part * 256 + whole / 2) / whole))
    }
    zero = share(counts[0], of: total)
    one = share(counts[1], of: beyondZero)
    tail = share(beyondOne, of: steps)
    largest = UInt8(counts.lastIndex { $0 > 0 } ?? 0)
  }

  /// Frequency of each symbol: 0, +1, -1, +2, -2, ... up to the largest magnitude. Each has at least 1; the sum is
  /// 4096.
  public var frequencies: [Int] {
    let last = Int(largest)
    guard last > 0 else { return [Self.total] }
    var left = Self.total - (2 * last + 1)
    let atZero = (left * Int(zero)) >> 8
    left -= atZero
    var result = [1 + atZero]
    for magnitude in 1...last {
      let share = magnitude == last ? left : (left * Int(magnitude == 1 ? one : tail)) >> 8
      left -= share
      result.append(1 + (share + 1) / 2)
      result.append(1 + share / 2)
    }
    return result
  }

  /// Symbol of a code: 0, 1, 2, 3, 4 for 0, +1, -1, +2, -2; magnitudes from 15 up share the last two.
  static func symbol(_ code: Int) -> Int {
    let magnitude = min(abs(code), escape)
    return code > 0 ? 2 * magnitude - 1 : 2 * magnitude
  }
}

/// The trellis: eight states; an odd state uses the quantizer of odd multiples of the step and zero, an even state
/// that of even multiples; the parity of the code picks the next state.
enum Trellis {
  static let states = 8

  /// Next state, by 2 * state + parity of the code.
  static let next: [UInt8] = [0, 2, 5, 7, 1, 3, 6, 4, 2, 0, 4, 6, 3, 1, 7, 5]

  /// Multiple of the step that a code stands for in a state.
  @inline(__always)
  static func multiple(_ code: Int, state: Int) -> Int {
    let odd = state & 1
    if code > 0 { return 2 * code - odd }
    return code < 0 ? 2 * code + odd : 0
  }
}
