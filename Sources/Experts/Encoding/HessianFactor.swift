/// The factor of a Hessian that error feedback needs: U, upper triangular, with (H + damping)^-1 = U^T U
/// (Frantar et al., "GPTQ", arXiv:2210.17323). Computed in F64 by plain loops, the same on every machine.
public struct HessianFactor: Sendable {
  public let size: Int
  /// U in F32, row-major; what lies below the diagonal is zero.
  public let upper: [Float]

  /// - Parameters:
  ///   - hessian: X^T X / n, size x size.
  ///   - damping: added to the diagonal, as a share of its mean.
  /// Throws `ExpertError.hessianIndefinite`.
  public init(_ hessian: [Float], size: Int, damping: Double) throws {
    self.size = size
    var matrix = hessian.map(Double.init)
    let mean = (0..<size).reduce(0.0) { $0 + matrix[$1 * size + $1] } / Double(max(size, 1))
    for index in 0..<size { matrix[index * size + index] += mean * damping }
    try Self.factorReversed(&matrix, size: size)
    upper = Self.invertUpper(matrix, size: size).map(Float.init)
  }

  /// H = R R^T with R upper triangular, from the last column to the first, in place.
  private static func factorReversed(_ matrix: inout [Double], size: Int) throws {
    try matrix.withUnsafeMutableBufferPointer { a in
      for column in stride(from: size - 1, through: 0, by: -1) {
        let pivot = a[column * size + column]
        guard pivot > 0, pivot.isFinite else { throw ExpertError.hessianIndefinite(size: size, pivot: column) }
        let root = pivot.squareRoot()
        a[column * size + column] = root
        // Rows of the symmetric remainder; a[column, 0..<column] still mirrors the column above the pivot.
        for row in 0..<column { a[row * size + column] = a[column * size + row] / root }
        for row in 0..<column {
          let factor = a[row * size + column]
          for next in 0...row { a[row * size + next] -= factor * a[next * size + column] }
        }
        for row in 0..<column { for next in 0..<row { a[next * size + row] = a[row * size + next] } }
        for next in 0..<column { a[column * size + next] = 0 }
      }
    }
  }

  /// Inverse of an upper triangular matrix, row by row from the last.
  private static func invertUpper(_ matrix: [Double], size: Int) -> [Double] {
    var inverse = [Double](repeating: 0, count: size * size)
    inverse.withUnsafeMutableBufferPointer { out in
      matrix.withUnsafeBufferPointer { a in
        for row in stride(from: size - 1, through: 0, by: -1) {
          let diagonal = 1 / a[row * size + row]
          out[row * size + row] = diagonal
          for middle in row + 1..<max(size, row + 1) {
            let factor = -a[row * size + middle] * diagonal
            for column in middle..<size { out[row * size + column] += factor * out[middle * size + column] }
          }
        }
      }
    }
    return inverse
  }
}
