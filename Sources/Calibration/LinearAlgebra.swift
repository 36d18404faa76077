import CLAPACK

/// The few routines of BLAS and LAPACK that the solvers use. OpenBLAS runs them on the calling thread alone: work is
/// spread by rows instead, so that results never depend on the number of threads. They can differ in the last bits
/// between processors for which OpenBLAS has different kernels.
enum LinearAlgebra {
  private static let singleThreaded: Void = openblas_set_num_threads(1)

  /// Has to come before any other call of BLAS.
  static func useOneThread() { _ = singleThreaded }

  /// `target` -= `a`^T `b`, with `a` of `depth` by `rows` and `b` of `depth` by `columns`, row-major.
  static func subtractProduct(
    _ a: UnsafePointer<Float>, stride aStride: Int, _ b: UnsafePointer<Float>, rows: Int, columns: Int, depth: Int,
    from target: UnsafeMutablePointer<Float>
  ) {
    useOneThread()
    guard rows > 0, columns > 0, depth > 0 else { return }
    cblas_sgemm(
      CblasRowMajor, CblasTrans, CblasNoTrans, Int32(rows), Int32(columns), Int32(depth), -1, a, Int32(aStride), b,
      Int32(columns), 1, target, Int32(columns))
  }

  /// `target` = `a` `b`, with `a` of `rows` by `depth` and `b` of `depth` by `columns`, row-major.
  static func product(
    _ a: UnsafePointer<Float>, stride aStride: Int, _ b: UnsafePointer<Float>, rows: Int, columns: Int, depth: Int,
    into target: UnsafeMutablePointer<Float>
  ) {
    useOneThread()
    guard rows > 0, columns > 0, depth > 0 else { return }
    cblas_sgemm(
      CblasRowMajor, CblasNoTrans, CblasNoTrans, Int32(rows), Int32(columns), Int32(depth), 1, a, Int32(aStride), b,
      Int32(columns), 0, target, Int32(columns))
  }

  /// `target` of `rows` by `columns` -= u v^T, row-major.
  static func subtractOuter(
    _ u: UnsafePointer<Float>, _ v: UnsafePointer<Float>, rows: Int, columns: Int,
    from target: UnsafeMutablePointer<Float>
  ) {
    guard rows > 0, columns > 0 else { return }
    cblas_sger(CblasRowMajor, Int32(rows), Int32(columns), -1, u, 1, v, 1, target, Int32(columns))
  }

  /// In single precision.
  static func sumOfSquares(_ values: UnsafePointer<Float>, count: Int) -> Float {
    useOneThread()
    return cblas_sdot(Int32(count), values, 1, values, 1)
  }
}
