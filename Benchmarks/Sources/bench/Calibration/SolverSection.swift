import CLAPACK
import Calibration
import Codecs
import Pipeline

/// GPTQ of 4096 rows and columns on all cores, beside the least that it asks of a BLAS: the Cholesky factor of the
/// inverse, and the updates of later columns as matrix products, spread over the cores without loss.
struct SolverSection {
  let options: Options
  private static let side = 4096
  /// Columns whose updates are one product.
  private static let block = 128
  /// The time may be three times that of the products.
  private static let goal = 1.0 / 3

  func run(_ report: inout Report) throws {
    let threads = Workers.processors
    report.title("GPTQ of \(Self.side) x \(Self.side) on \(threads) cores, beside its Cholesky factor and products")
    let hessian = Hessian(columns: Self.side, moments: .full(Self.moments()), tokens: nil)
    var values = NormalBF16(seed: 4)
    let weights = (0..<Self.side * Self.side).map { _ in Float(bitPattern: UInt32(values.next()) << 16) }
    let base = floor(hessian, weights) / Double(threads)
    report.add(Measurement(name: "factor and products", value: base, unit: "s"))
    for (name, sweeps) in [("int4", 0), ("bilevel:bits=3", 0), ("spqr:bits=3", 0), ("bilevel:bits=3", 2)] {
      let encoding = try SolvableEncodings.encoding(try CodecRegistry.codec(name))
      var solver = Solver(encoding, sweeps: sweeps, threads: threads)
      if name.hasPrefix("spqr") { solver.outliers = OutlierRule(threshold: 0.2) }
      let time = try seconds {
        _ = try solver.solve(weights, rows: Self.side, prepared: solver.prepare(hessian, columns: Self.side))
      }
      report.add(
        Measurement(
          name: sweeps == 0 ? name : "\(name), \(sweeps) sweeps", value: time, unit: "s", ratio: base / time,
          against: "the products", goal: sweeps == 0 ? Self.goal : nil))
    }
  }

  /// X^T X of inputs that are a little alike.
  private static func moments() -> [Float] {
    var moments = [Float](repeating: 0, count: side * side)
    for row in 0..<side {
      for column in 0..<side {
        let distance = abs(row - column)
        moments[row * side + column] = distance == 0 ? 1 + Float(row % 7) / 4 : 0.5 / Float(1 + distance % 97)
      }
      moments[row * side + row] += 3
    }
    return moments
  }

  /// Seconds of `spotrf` and `strtri` on one core, and of a product for each block of columns with all later ones.
  private func floor(_ hessian: Hessian, _ weights: [Float]) -> Double {
    guard case .full(var factor) = hessian.moments else { return 0 }
    var work = weights
    let side = Self.side
    openblas_set_num_threads(1)
    return seconds {
      var (order, leading, info) = (Int32(side), Int32(side), Int32(0))
      spotrf_("L", &order, &factor, &leading, &info)
      strtri_("L", "N", &order, &factor, &leading, &info)
      weights.withUnsafeBufferPointer { errors in
        work.withUnsafeMutableBufferPointer { work in
          factor.withUnsafeBufferPointer { factor in
            guard let errors = errors.baseAddress, let work = work.baseAddress, let factor = factor.baseAddress else {
              return
            }
            for end in stride(from: Self.block, to: side, by: Self.block) {
              cblas_sgemm(
                CblasRowMajor, CblasTrans, CblasNoTrans, Int32(side - end), Int32(side), Int32(Self.block), -1e-6,
                factor + (end - Self.block) * side + end, Int32(side), errors + (end - Self.block) * side, Int32(side),
                1, work + end * side, Int32(side))
            }
          }
        }
      }
    }
  }
}
