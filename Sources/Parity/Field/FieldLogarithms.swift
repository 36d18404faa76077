/// Logarithms in GF(2^16) to the base x, which generates all elements but 0.
struct FieldLogarithms: Sendable {
  /// The order of the group of elements other than 0.
  static let order = 65535
  private let logarithms: [UInt16]
  private let powers: [UInt16]

  init() {
    var logarithms = [UInt16](repeating: 0, count: 65536)
    var powers = [UInt16](repeating: 0, count: Self.order)
    var power: UInt16 = 1
    for exponent in 0..<Self.order {
      powers[exponent] = power
      logarithms[Int(power)] = UInt16(exponent)
      power = Field16.multiply(power, 2)
    }
    self.logarithms = logarithms
    self.powers = powers
  }

  /// The logarithm of an element other than 0.
  func logarithm(_ element: UInt16) -> Int { Int(logarithms[Int(element)]) }

  /// The power of x, for any exponent.
  func power(_ exponent: Int) -> UInt16 {
    let remainder = exponent % Self.order
    return powers[remainder < 0 ? remainder + Self.order : remainder]
  }

  /// 1 / element, for an element other than 0.
  func inverse(_ element: UInt16) -> UInt16 { power(-logarithm(element)) }
}
