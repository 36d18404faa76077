import TestSupport
import Testing

@testable import Parity

@Suite struct FieldTests {
  /// By polynomial division over GF(2), another way than that of the code.
  private func product(_ a: UInt16, _ b: UInt16) -> UInt16 {
    var sum: UInt32 = 0
    for bit in 0..<16 where b >> UInt16(bit) & 1 == 1 { sum ^= UInt32(a) << UInt32(bit) }
    for bit in stride(from: 30, through: 16, by: -1) where sum >> UInt32(bit) & 1 == 1 {
      sum ^= 0x1100B << UInt32(bit - 16)
    }
    return UInt16(truncatingIfNeeded: sum)
  }

  @Test func productsAreThoseOfPolynomials() {
    var random = SplitMix64(seed: 1)
    for _ in 0..<20_000 {
      let (a, b) = (UInt16.random(in: 0 ... .max, using: &random), UInt16.random(in: 0 ... .max, using: &random))
      #expect(Field16.multiply(a, b) == product(a, b))
    }
  }

  @Test func everyElementHasItsInverse() {
    let logarithms = FieldLogarithms()
    for element in 1...UInt16.max {
      let inverse = logarithms.inverse(element)
      guard Field16.multiply(element, inverse) == 1 else {
        Issue.record("\(element) times \(inverse) isn't 1")
        return
      }
    }
  }

  @Test(arguments: [1, 2, 3, 17]) func theKernelIsTheReference(_ groups: Int) {
    var random = SplitMix64(seed: UInt64(groups))
    let count = groups * Field16.groupBytes
    for factor in [0, 1, 2, 0x100B, 0x8000, 0xFFFF]
      + (0..<200).map({ _ in UInt16.random(in: 0 ... .max, using: &random) })
    {
      let source = (0..<count).map { _ in UInt8.random(in: 0 ... .max, using: &random) }
      var fast = (0..<count).map { _ in UInt8.random(in: 0 ... .max, using: &random) }
      var plain = fast
      source.withUnsafeBytes { source in
        fast.withUnsafeMutableBytes { Field16.add(source, times: factor, to: $0) }
        plain.withUnsafeMutableBytes { Field16.addReference(source, times: factor, to: $0) }
      }
      #expect(fast == plain)
    }
  }

  @Test func theInverseOfACauchyMatrixIsOne() {
    let matrix = CauchyMatrix()
    let (parity, data) = ([0, 3, 4, 9, 700], [1, 2, 77, 4000, 60000])
    let inverse = matrix.inverse(parity: parity, data: data)
    for row in data.indices {
      for column in data.indices {
        let sum = parity.indices.reduce(UInt16(0)) {
          $0
            ^ Field16.multiply(
              inverse.factor(data: row, parity: $1), matrix.factor(parity: parity[$1], data: data[column]))
        }
        #expect(sum == (row == column ? 1 : 0))
      }
    }
  }
}
