import Codecs
import TestSupport
import Testing

@testable import Calibration

@Suite struct SolverTests {
  /// What was solved is what is stored, and what is stored decodes to what was solved, for every encoding and method.
  @Test(arguments: Solver.Method.allCases, ColumnOrder.allCases)
  func planesDecodeToWhatWasSolved(method: Solver.Method, order: ColumnOrder) throws {
    let problem = Problem(rows: 37, columns: 128, seed: 1)
    for encoding in try allEncodings() {
      let outliers =
        (encoding as? BilevelEncoding)?.spqr == nil ? nil : OutlierRule(threshold: 0.05, leavesOut: true)
      let solved = try problem.solve(
        Solver(encoding, method: method, order: order, outliers: outliers, sweeps: order == .natural ? 0 : 2))
      let planes = try encoding.planes(solved)
      let values = try decoded(encoding.codec, planes, rows: problem.rows, columns: problem.columns)
      #expect(values.map(\.bitPattern) == solved.decoded.map(\.bitPattern), "\(encoding.codec.descriptor)")
      #expect((outliers == nil) == solved.outliers.isEmpty)
    }
  }

  /// The errors that a solver reports are those of its result, by the definition.
  @Test func reportedErrorsAreTheErrors() throws {
    let problem = Problem(rows: 20, columns: 160, seed: 2)
    for encoding in try allEncodings().prefix(5) {
      let solved = try problem.solve(Solver(encoding))
      let expected = errors(problem, solved.decoded)
      #expect(abs(solved.error.relative / expected.plain - 1) < 1e-5)
      #expect(abs(try problem.outputError(solved) / expected.weighted - 1) < 1e-2)
    }
  }

  private func errors(_ problem: Problem, _ decoded: [Float]) -> (plain: Double, weighted: Double) {
    guard case .full(let moments) = problem.hessian.moments else { return (0, 0) }
    func form(_ value: (Int) -> Double) -> Double {
      var sum = 0.0
      for row in 0..<problem.rows {
        for a in 0..<problem.columns {
          for b in 0..<problem.columns {
            let product = value(row * problem.columns + a) * value(row * problem.columns + b)
            sum += product * Double(moments[a * problem.columns + b])
          }
        }
      }
      return sum
    }
    let (weights, columns) = (problem.weights, problem.columns)
    let difference = { (index: Int) in Double(weights[index]) - Double(decoded[index]) }
    let plain = (0..<problem.rows * columns).reduce(0) { $0 + difference($1) * difference($1) }
    let norm = weights.reduce(0) { $0 + Double($1) * Double($1) }
    return (plain / norm, form(difference) / form { Double(weights[$0]) })
  }

  /// GPTQ leaves much less of the output error than rounding to nearest.
  @Test func gptqBeatsRoundingToNearest() throws {
    let problem = Problem(rows: 64, columns: 256, seed: 3)
    for encoding in try allEncodings() {
      let nearest = try problem.solve(Solver(encoding, method: .nearest))
      let gptq = try problem.solve(Solver(encoding, sweeps: 0))
      #expect(gptq.error.weighted < 0.75 * nearest.error.weighted, "\(encoding.codec.descriptor)")
    }
  }

  /// Every sweep lowers the damped error; the codes of a group longer than a piece are refined too.
  @Test func sweepsLowerTheError() throws {
    let problem = Problem(rows: 48, columns: 320, seed: 12)
    for encoding in try allEncodings() {
      let added = Double(try Solver(encoding).prepare(problem.hessian, columns: problem.columns).added)
      func damped(_ error: SolvedError) -> Double { error.weighted + added * error.plain }
      var last = damped(try problem.solve(Solver(encoding, sweeps: 0)).error)
      for sweeps in 1...2 {
        let error = damped(try problem.solve(Solver(encoding, sweeps: sweeps)).error)
        #expect(error < last, "\(encoding.codec.descriptor)")
        last = error
      }
    }
  }

  @Test func outliersLowerTheError() throws {
    let problem = Problem(rows: 64, columns: 128, seed: 4)
    let encoding = BilevelEncoding(try SpQRCodec(dense: BilevelCodec(bits: 3)))
    var last = try problem.solve(Solver(encoding))
    #expect(last.outliers.isEmpty)
    for threshold: Float in [0.3, 0.1, 0.03] {
      let solved = try problem.solve(Solver(encoding, outliers: OutlierRule(threshold: threshold)))
      #expect(solved.outliers.count > last.outliers.count)
      #expect(solved.error.weighted < last.error.weighted)
      last = solved
    }
  }

  /// Everything an outlier: what is stored is the weights in F16.
  @Test func allWeightsMayBeOutliers() throws {
    let problem = Problem(rows: 17, columns: 40, seed: 5)
    let encoding = BilevelEncoding(try SpQRCodec(dense: BilevelCodec(bits: 2)))
    let solved = try problem.solve(Solver(encoding, outliers: OutlierRule(threshold: 1e-30)))
    #expect(solved.outliers.count >= 17 * 40 - 2)
    #expect(solved.error.relative < 1e-6)
    let planes = try encoding.planes(solved)
    #expect(try decoded(encoding.codec, planes, rows: 17, columns: 40) == solved.decoded)
  }

  @Test func theResultDoesNotDependOnThreads() throws {
    let problem = Problem(rows: 600, columns: 96, seed: 6)
    let encoding = BilevelEncoding(try BilevelCodec(bits: 3))
    let one = try problem.solve(Solver(encoding, threads: 1))
    let three = try problem.solve(Solver(encoding, threads: 3))
    #expect(one.codes == three.codes)
    #expect(one.scales == three.scales)
    #expect(one.error == three.error)
  }

  /// Without off-diagonal moments there is nothing to make up for errors with: GPTQ is weighted rounding to nearest.
  @Test func aDiagonalRoundsToNearest() throws {
    let problem = Problem(rows: 16, columns: 64, seed: 7)
    let diagonal = Hessian(columns: 64, moments: .diagonal(problem.hessian.diagonal), tokens: nil)
    let encoding = try IntegerEncoding(IntegerCodec(bits: 4, grouping: .elements(32)))
    let gptq = try problem.solve(Solver(encoding), hessian: diagonal)
    let nearest = try problem.solve(Solver(encoding, method: .nearest), hessian: diagonal)
    #expect(gptq.codes == nearest.codes)
    #expect(gptq.error == nearest.error)
    #expect(gptq.error.weighted > 0)
  }

  @Test func withoutAHessianBothErrorsAreTheSame() throws {
    let problem = Problem(rows: 8, columns: 32, seed: 8)
    let encoding = try TableEncoding(MXCodec(.e2m1))
    let solved = try problem.solve(Solver(encoding, method: .nearest), hessian: .some(nil))
    #expect(solved.error.plain == solved.error.weighted)
    #expect(solved.error.relative > 0.005 && solved.error.relative < 0.02)
  }

  @Test func emptyWeightsAreSolved() throws {
    let solver = Solver(BilevelEncoding(try BilevelCodec(bits: 3)))
    let prepared = try solver.prepare(nil, columns: 16)
    #expect(try solver.solve([], rows: 0, prepared: prepared).codes.isEmpty)
  }
}
