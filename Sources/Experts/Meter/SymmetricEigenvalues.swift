/// The eigenvalues of a symmetric matrix by cyclic Jacobi rotations (Golub and Van Loan, "Matrix computations", 8.5).
enum SymmetricEigenvalues {
  private static let sweeps = 30

  /// In no order. The matrix is row-major, size x size.
  static func of(_ matrix: [Double], size: Int) -> [Double] {
    var a = matrix
    let norm = a.reduce(0) { $0 + $1 * $1 }
    for _ in 0..<sweeps where size > 1 {
      var beside = 0.0
      for row in 0..<size { for column in 0..<size where row != column { beside += square(a[row * size + column]) } }
      if beside <= 1e-24 * norm { break }
      a.withUnsafeMutableBufferPointer { a in
        for row in 0..<size - 1 { for column in row + 1..<size { rotate(a, row, column, size: size) } }
      }
    }
    return (0..<size).map { a[$0 * size + $0] }
  }

  private static func square(_ value: Double) -> Double { value * value }

  /// Makes the element (p, q) zero.
  private static func rotate(_ a: UnsafeMutableBufferPointer<Double>, _ p: Int, _ q: Int, size: Int) {
    let beside = a[p * size + q]
    guard beside != 0 else { return }
    let ratio = (a[q * size + q] - a[p * size + p]) / (2 * beside)
    let tangent = (ratio < 0 ? -1 : 1) / (abs(ratio) + (ratio * ratio + 1).squareRoot())
    let cosine = 1 / (tangent * tangent + 1).squareRoot()
    let sine = tangent * cosine
    for index in 0..<size {
      let (first, second) = (a[index * size + p], a[index * size + q])
      a[index * size + p] = cosine * first - sine * second
      a[index * size + q] = sine * first + cosine * second
    }
    for index in 0..<size {
      let (first, second) = (a[p * size + index], a[q * size + index])
      a[p * size + index] = cosine * first - sine * second
      a[q * size + index] = sine * first + cosine * second
    }
  }
}
