import Codecs
import TestSupport
import Testing

@testable import Calibration

@Suite struct TargetBitsTests {
  private func bits(_ encoding: any GroupEncoding, _ solved: SolvedMatrix) throws -> Double {
    Double(8 * (try encoding.planes(solved).reduce(0) { $0 + $1.count })) / Double(solved.codes.count)
  }

  @Test(arguments: [3.7, 3.9, 4.5]) func theTargetIsMetFromBelow(target: Double) throws {
    let problem = Problem(rows: 64, columns: 128, seed: 41)
    let encoding = BilevelEncoding(try SpQRCodec(dense: BilevelCodec(bits: 3)))
    let solver = Solver(encoding, sweeps: 1)
    let prepared = try solver.prepare(problem.hessian, columns: 128)
    let (solved, threshold) = try TargetBits(bits: target, tolerance: 0.02)
      .solve(problem.weights, rows: 64, prepared: prepared, with: solver)
    let spent = try bits(encoding, solved)
    #expect(spent <= target && spent > target - 0.03)
    var same = solver
    same.outliers = OutlierRule(threshold: threshold)
    #expect(try problem.solve(same).outliers == solved.outliers)
  }

  @Test func lessThanTheDensePartIsRefused() throws {
    let problem = Problem(rows: 16, columns: 32, seed: 42)
    let solver = Solver(BilevelEncoding(try SpQRCodec(dense: BilevelCodec(bits: 3))))
    let prepared = try solver.prepare(problem.hessian, columns: 32)
    #expect(throws: SolverError.self) {
      try TargetBits(bits: 3.6).solve(problem.weights, rows: 16, prepared: prepared, with: solver)
    }
  }
}
