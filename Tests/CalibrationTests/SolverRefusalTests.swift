import Codecs
import TestSupport
import Testing

@testable import Calibration

/// Statistics and weights that are degenerate: solved or refused, by name.
@Suite struct SolverRefusalTests {
  private let columns = 48

  private func solve(
    _ moments: [Float], change weights: (inout [Float]) -> Void = { _ in }, encoding: (any GroupEncoding)? = nil
  ) throws -> SolvedMatrix {
    var values = Problem(rows: 20, columns: columns, seed: 9).weights
    weights(&values)
    let solver = Solver(try encoding ?? BilevelEncoding(BilevelCodec(bits: 4)))
    let hessian = Hessian(columns: columns, moments: .full(moments), tokens: 100)
    return try solver.solve(values, rows: 20, prepared: solver.prepare(hessian, columns: columns))
  }

  private var moments: [Float] {
    guard case .full(let moments) = Problem(rows: 1, columns: columns, seed: 10).hessian.moments else { return [] }
    return moments
  }

  @Test func statisticsThatAreNoneAreRefused() throws {
    for (index, value) in [(0, Float.nan), (5, .infinity), (columns + 1, -1), (3, 1e9)] {
      var bad = moments
      bad[index] = value
      #expect(throws: SolverError.self) { try solve(bad) }
    }
    #expect(throws: SolverError.self) { try solve(Array(moments.dropLast())) }
  }

  @Test func aHessianThatIsFarFromPositiveIsRefused() throws {
    var bad = moments
    for row in 0..<columns { for column in 0..<columns where row != column { bad[row * columns + column] = -1 } }
    for place in 0..<columns { bad[place * columns + place] = 1 }
    #expect(throws: SolverError.hessian("it isn't positive definite, even with its mean added to the diagonal")) {
      try solve(bad)
    }
  }

  /// A Hessian of one token, and one of zeros.
  @Test func singularHessiansAreDamped() throws {
    let input = (0..<columns).map { Float($0 % 5) - 2 }
    let rankOne = input.flatMap { a in input.map { a * $0 } }
    let solved = try solve(rankOne)
    let hessian = Hessian(columns: columns, moments: .full(rankOne), tokens: 100)
    let prepared = try Solver(BilevelEncoding(try BilevelCodec(bits: 4))).prepare(hessian, columns: columns)
    let norm = try prepared.outputNorm(Problem(rows: 20, columns: columns, seed: 9).weights, rows: 20, threads: 1)
    #expect(solved.error.weighted < 1e-4 * norm)
    #expect(solved.error.relative < 0.5)
    let zeros = try solve([Float](repeating: 0, count: columns * columns))
    #expect(zeros.error.weighted < 1e-12)
    #expect(zeros.error.relative < 0.01)
  }

  /// Inputs that are always zero: their weights round to nearest.
  @Test func deadColumnsKeepTheirWeights() throws {
    var dead = moments
    for place in 0..<columns {
      dead[7 * columns + place] = 0
      dead[place * columns + 7] = 0
    }
    let solved = try solve(dead)
    let weights = Problem(rows: 20, columns: columns, seed: 9).weights
    for row in 0..<20 { #expect(abs(solved.decoded[row * columns + 7] - weights[row * columns + 7]) < 0.02) }
  }

  @Test func weightsThatAreNotFiniteAreRefused() throws {
    #expect(throws: SolverError.weight(row: 2, column: 3, value: .infinity)) {
      try solve(moments) { $0[2 * columns + 3] = .infinity }
    }
  }

  /// Constant and empty rows, and weights whose scales are subnormal or overflow F16.
  @Test func extremeWeightsAreSolved() throws {
    for encoding in try allEncodings() where encoding.groupColumns(columns) != 64 {
      guard (try? encoding.check(rows: 20, columns: columns)) != nil else { continue }
      for value: Float in [0, 1, -3e-8, 1e-37, 7e4, 1e30] {
        let solved = try solve(
          moments, change: { for index in 0..<5 * columns { $0[index] = value } }, encoding: encoding)
        let planes = try encoding.planes(solved)
        let values = try decoded(encoding.codec, planes, rows: 20, columns: columns)
        #expect(values.map(\.bitPattern) == solved.decoded.map(\.bitPattern), "\(encoding.codec.descriptor) \(value)")
      }
    }
  }

  @Test func encodingsThatCannotBeSolvedForAreRefused() throws {
    #expect(throws: SolverError.self) { try IntegerEncoding(IntegerCodec(bits: 4, grouping: .column)) }
    #expect(throws: SolverError.self) {
      try IntegerEncoding(IntegerCodec(bits: 4, scale: .quantized(superblock: 8)))
    }
    #expect(throws: SolverError.self) { try IntegerEncoding(IntegerCodec(bits: 2, zero: .code), ternary: true) }
    #expect(throws: SolverError.self) { try TableEncoding(MXCodec(.e4m3)) }
    #expect(throws: SolverError.self) { try TableEncoding(NormalFloatCodec(.nf4, second: 256)) }
    let nf4 = try TableEncoding(NormalFloatCodec(.nf4))
    #expect(throws: SolverError.self) { try solve(moments, encoding: nf4) }
    let raw = BilevelEncoding(try SpQRCodec(dense: BilevelCodec(bits: 3), combine: .addRaw))
    #expect(throws: SolverError.self) { try solve(moments, encoding: raw) }
    var solver = Solver(BilevelEncoding(try BilevelCodec(bits: 3)))
    solver.outliers = OutlierRule(threshold: 1)
    let problem = Problem(rows: 2, columns: 16, seed: 1)
    #expect(throws: SolverError.self) { try problem.solve(solver) }
  }
}
