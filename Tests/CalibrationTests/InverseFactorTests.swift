import TestSupport
import Testing

@testable import Calibration

@Suite struct InverseFactorTests {
  @Test(arguments: [1, 2, 7, 33, 100]) func theFactorIsThatOfTheInverse(size: Int) throws {
    guard case .full(var matrix) = Problem(rows: 1, columns: size, seed: 71).hessian.moments else { return }
    for place in 0..<size { matrix[place * size + place] += 0.1 }
    let factor = try #require(LinearAlgebra.inverseFactor(of: matrix, size: size))
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

  @Test func whatIsNotPositiveHasNoFactor() {
    #expect(LinearAlgebra.inverseFactor(of: [1, 2, 2, 1], size: 2) == nil)
    #expect(LinearAlgebra.inverseFactor(of: [0], size: 1) == nil)
    #expect(LinearAlgebra.inverseFactor(of: [.nan], size: 1) == nil)
    #expect(LinearAlgebra.inverseFactor(of: [], size: 0) == [])
  }
}
