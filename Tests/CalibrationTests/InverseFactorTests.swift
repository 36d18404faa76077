import TestSupport
import Testing

@testable import Calibration

@Suite struct InverseFactorTests {
  @Test(arguments: [1, 2, 7, 33, 100]) func theFactorIsThatOfTheInverse(size: Int) throws {
    guard case .full(var matrix) = Problem(rows: 1, columns: size, seed: 71).hessian.moments else { return }
    for place in 0..<size { matrix[place * size + place] += 0.1 }
    let factor = try #require(InverseFactor.of(matrix, size: size))
    // U^T U H = 1
    for row in 0..<size {
      for column in 0..<row { #expect(factor[row * size + column] == 0) }
      #expect(factor[row * size + row] > 0)
    }
    var inverse = [Double](repeating: 0, count: size * size)
    for a in 0..<size {
      for b in 0..<size {
        for k in 0...min(a, b) { inverse[a * size + b] += Double(factor[k * size + a] * factor[k * size + b]) }
      }
    }
    for a in 0..<size {
      for b in 0..<size {
        let sum = (0..<size).reduce(0.0) { $0 + inverse[a * size + $1] * Double(matrix[$1 * size + b]) }
        #expect(abs(sum - (a == b ? 1 : 0)) < 1e-3)
      }
    }
  }

  /// Of more than one block: some rows of U^T U H are those of 1, and threads change nothing.
  @Test func blocksGiveTheSameForAnyNumberOfThreads() throws {
    let size = 2 * InverseFactor.side + 40
    var numbers = SplitMix64(seed: 5)
    var matrix = [Float](repeating: 0, count: size * size)
    for row in 0..<size {
      for column in 0..<row {
        let value = Float(numbers.next() >> 40) / Float(1 << 24) / Float(size)
        matrix[row * size + column] = value
        matrix[column * size + row] = value
      }
      matrix[row * size + row] = 2
    }
    let factor = try #require(InverseFactor.of(matrix, size: size))
    #expect(InverseFactor.of(matrix, size: size, threads: 3) == factor)
    for row in [0, 255, 256, 300, size - 1] {
      var inverse = [Float](repeating: 0, count: size)
      for k in 0...row {
        for column in k..<size { inverse[column] += factor[k * size + row] * factor[k * size + column] }
      }
      for column in [0, row, 255, 256, size - 1] {
        let sum = (0..<size).reduce(Float(0)) { $0 + inverse[$1] * matrix[$1 * size + column] }
        #expect(abs(sum - (row == column ? 1 : 0)) < 1e-4)
      }
    }
  }

  @Test func whatIsNotPositiveHasNoFactor() {
    #expect(InverseFactor.of([1, 2, 2, 1], size: 2) == nil)
    #expect(InverseFactor.of([0], size: 1) == nil)
    #expect(InverseFactor.of([.nan], size: 1) == nil)
    #expect(InverseFactor.of([], size: 0) == [])
  }
}
