import CLAPACK

/// The few routines of BLAS and LAPACK that the solvers use. OpenBLAS runs them on the calling thread alone: work is
/// spread by rows instead, so that results never depend on the number of threads. They can differ in the last bits
/// between processors for which OpenBLAS has different kernels.
enum LinearAlgebra {
  private static let singleThreaded: Void = openblas_set_num_threads(1)

  /// The upper triangular U with U^T U = inverse(matrix), row-major, of a symmetric matrix of `size` rows; nil if the
  /// matrix isn't positive definite to working precision.
  ///
  /// Factors the matrix with rows and columns in reverse order, L L^T, and inverts L: reversed again, that is U.
  static func inverseFactor(of matrix: [Float], size: Int) -> [Float]? {
    _ = singleThreaded
    guard size > 0, var order = Int32(exactly: size) else { return size == 0 ? [] : nil }
    // Reversing rows and columns of a square is reversing its elements.
    var factor = [Float](matrix.reversed())
    var info: Int32 = 0
    let succeeded = factor.withUnsafeMutableBufferPointer { factor in
      var leading = order
      spotrf_("L", &order, factor.baseAddress, &leading, &info)
      guard info == 0 else { return false }
      strtri_("L", "N", &order, factor.baseAddress, &leading, &info)
      return info == 0
    }
    guard succeeded else { return nil }
    return reversedLowerTriangle(factor, size: size)
  }

  /// U[i][j] = L[size - 1 - i][size - 1 - j] of a lower triangular matrix in column-major order.
  private static func reversedLowerTriangle(_ lower: [Float], size: Int) -> [Float]? {
    var finite = true
    let upper = [Float](unsafeUninitializedCapacity: size * size) { upper, count in
      lower.withUnsafeBufferPointer { lower in
        for tile in tiles(size) {
          for row in tile.rows {
            for column in tile.columns {
              let value = column < row ? 0 : lower[(size - 1 - column) * size + size - 1 - row]
              finite = finite && value.isFinite
              upper[row * size + column] = value
            }
          }
        }
      }
      count = size * size
    }
    return finite ? upper : nil
  }

  /// Squares that cover a matrix, for transposing in the cache.
  private static func tiles(_ size: Int) -> [(rows: Range<Int>, columns: Range<Int>)] {
    let side = 32
    return stride(from: 0, to: size, by: side).flatMap { top in
      stride(from: 0, to: size, by: side).map { left in
        (top..<min(top + side, size), left..<min(left + side, size))
      }
    }
  }

  /// `target` -= `a`^T `b`, with `a` of `depth` by `rows` and `b` of `depth` by `columns`, row-major.
  static func subtractProduct(
    _ a: UnsafePointer<Float>, stride aStride: Int, _ b: UnsafePointer<Float>, rows: Int, columns: Int, depth: Int,
    from target: UnsafeMutablePointer<Float>
  ) {
    _ = singleThreaded
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
    _ = singleThreaded
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
}
