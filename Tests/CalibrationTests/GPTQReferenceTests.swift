import Codecs
import TestSupport
import Testing

@testable import Calibration

/// GPTQ by its definition, in F64 and without a factorisation: after each column is rounded, the weights left take
/// the step that minimises the output's error, and the column leaves the inverse Hessian by Gaussian elimination
/// (Frantar and Alistarh, "Optimal Brain Compression", 2022, equation 3).
@Suite struct GPTQReferenceTests {
  @Test func blockedUpdatesAreThoseOfTheDefinition() throws {
    let (rows, columns) = (9, 150)
    let problem = Problem(rows: rows, columns: columns, seed: 51)
    // One group a row: its scale depends on the original weights alone.
    let encoding = try IntegerEncoding(IntegerCodec(bits: 4, grouping: .row, scale: .float(.f32)))
    let solver = Solver(encoding, order: .natural, damping: 0.01, sweeps: 0)
    let solved = try problem.solve(solver)
    var inverse = try inverseHessian(problem, damping: 0.01)
    var weights = problem.weights.map(Double.init)
    var different = 0
    for column in 0..<columns {
      for row in 0..<rows {
        let value = weights[row * columns + column]
        let scale = Double(solved.scales[row])
        let code = min(max((value / scale).rounded(.toNearestOrEven), -8), 7)
        if Int8(code) != Int8(bitPattern: solved.codes[row * columns + column]) { different += 1 }
        let error = (value - code * scale) / inverse[column * columns + column]
        for later in column..<columns { weights[row * columns + later] -= error * inverse[column * columns + later] }
      }
      eliminate(column, from: &inverse, columns)
    }
    // F32 and F64 differ where a weight lies halfway between codes.
    #expect(different <= rows * columns / 200)
  }

  private func inverseHessian(_ problem: Problem, damping: Double) throws -> [Double] {
    let size = problem.columns
    guard case .full(let moments) = problem.hessian.moments else { return [] }
    var matrix = moments.map(Double.init)
    let mean = (0..<size).reduce(0) { $0 + matrix[$1 * size + $1] } / Double(size)
    for place in 0..<size { matrix[place * size + place] += damping * mean }
    var inverse = [Double](repeating: 0, count: size * size)
    for place in 0..<size { inverse[place * size + place] = 1 }
    for pivot in 0..<size {
      let divisor = matrix[pivot * size + pivot]
      for column in 0..<size {
        matrix[pivot * size + column] /= divisor
        inverse[pivot * size + column] /= divisor
      }
      for row in 0..<size where row != pivot {
        let factor = matrix[row * size + pivot]
        for column in 0..<size {
          matrix[row * size + column] -= factor * matrix[pivot * size + column]
          inverse[row * size + column] -= factor * inverse[pivot * size + column]
        }
      }
    }
    return inverse
  }

  private func eliminate(_ place: Int, from inverse: inout [Double], _ size: Int) {
    let pivot = inverse[place * size + place]
    let line = Array(inverse[place * size..<(place + 1) * size])
    for row in 0..<size {
      for column in 0..<size { inverse[row * size + column] -= line[row] * line[column] / pivot }
    }
  }
}
