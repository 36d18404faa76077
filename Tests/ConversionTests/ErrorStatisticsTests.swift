import Conversion
import TestSupport
import Testing

@Suite struct ErrorStatisticsTests {
  /// Eight sums, element i in sum i mod 8, added up at the end: the order that the kernel has to keep.
  private func plainly(_ original: [Float], _ decoded: [Float]) -> ErrorStatistics {
    var (error, norm, result) = (Array(repeating: 0.0, count: 8), Array(repeating: 0.0, count: 8), ErrorStatistics())
    for index in original.indices {
      let difference = Double(decoded[index]) - Double(original[index])
      error[index % 8] += difference * difference
      norm[index % 8] += Double(original[index]) * Double(original[index])
      result.maximumError = max(result.maximumError, Double(Float(difference).magnitude))
    }
    result.squaredError = error.reduce(0, +)
    result.squaredNorm = norm.reduce(0, +)
    return result
  }

  private func measured(_ original: [Float], _ decoded: [Float]) -> ErrorStatistics {
    var statistics = ErrorStatistics()
    original.withUnsafeBufferPointer { x in
      decoded.withUnsafeBufferPointer { statistics.add(original: x, decoded: $0) }
    }
    return statistics
  }

  @Test(arguments: [0, 1, 7, 8, 9, 15, 16, 17, 63, 1000, 4099])
  func kernelIsThePlainLoop(_ count: Int) {
    var random = SplitMix64(seed: UInt64(count))
    let original = (0..<count).map { _ in Float(random.normal()) }
    let decoded = original.map { $0 + Float(random.normal() / 100) }
    #expect(measured(original, decoded) == plainly(original, decoded))
  }

  @Test func everyLengthAgreesWithThePlainLoop() {
    var random = SplitMix64(seed: 5)
    let original = (0..<64).map { _ in Float(bitPattern: UInt32.random(in: 0..<0x7F00_0000, using: &random)) }
    for count in 0...64 {
      let (x, y) = (Array(original.prefix(count)), Array(original.reversed().suffix(count)))
      #expect(measured(x, y) == plainly(x, y))
    }
  }

  @Test func mergingAddsUpAndKeepsTheLargest() {
    var statistics = measured([1, 2], [1, 2.5])
    statistics.merge(measured([3], [2]))
    #expect(statistics.squaredError == 1.25)
    #expect(statistics.squaredNorm == 14)
    #expect(statistics.maximumError == 1)
    #expect(statistics.relativeMSE == 1.25 / 14)
  }

  @Test func nothingLostIsZeroAndSomethingFromNothingIsInfinite() {
    #expect(measured([0, 0], [0, 0]).relativeMSE == 0)
    #expect(ErrorStatistics().relativeMSE == 0)
    #expect(measured([0, 0], [0, 1]).relativeMSE == .infinity)
  }
}
