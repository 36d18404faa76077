import CLAPACK

/// Inner products of every pair of N vectors, streamed in strips: N x N memory and one strip of each vector.
public struct GramMatrix: Sendable, Equatable {
  public let count: Int
  /// Row-major, symmetric.
  public private(set) var values: [Double]

  public init(count: Int) {
    self.count = count
    values = [Double](repeating: 0, count: count * count)
  }

  /// Values given as they are, row-major.
  public init(count: Int, values: [Double]) {
    self.count = count
    self.values = values
  }

  public subscript(row: Int, column: Int) -> Double { values[row * count + column] }

  /// Adds the products of a strip: `count` rows of `width` values. The strip is summed in F32 by BLAS `ssyrk`, the
  /// strips in F64.
  public mutating func add(_ strip: UnsafeBufferPointer<Float>, width: Int) {
    guard width > 0, count > 0 else { return }
    var product = [Float](repeating: 0, count: count * count)
    cblas_ssyrk(
      CblasRowMajor, CblasUpper, CblasNoTrans, Int32(count), Int32(width), 1, strip.baseAddress, Int32(width), 0,
      &product, Int32(count))
    for row in 0..<count {
      for column in row..<count {
        values[row * count + column] += Double(product[row * count + column])
        if column > row { values[column * count + row] += Double(product[row * count + column]) }
      }
    }
  }

  /// Sum of two, for matrices that are parts of one vector.
  public static func + (left: GramMatrix, right: GramMatrix) -> GramMatrix {
    GramMatrix(count: left.count, values: zip(left.values, right.values).map { $0 + $1 })
  }

  /// The part of some of the vectors.
  public func restricted(to members: [Int]) -> GramMatrix {
    GramMatrix(count: members.count, values: members.flatMap { row in members.map { self[row, $0] } })
  }

  /// Cosine of each pair; 0 where one of the two is zero, 1 on the diagonal.
  public var correlations: [Double] {
    (0..<count * count).map { index in
      let (row, column) = index.quotientAndRemainder(dividingBy: count)
      if row == column { return 1 }
      let norm = (self[row, row] * self[column, column]).squareRoot()
      return norm > 0 ? self[row, column] / norm : 0
    }
  }

  /// Mean cosine of the pairs; 0 for fewer than two vectors.
  public var meanCorrelation: Double {
    guard count > 1 else { return 0 }
    return (correlations.reduce(0, +) - Double(count)) / Double(count * (count - 1))
  }

  /// What is left of the vectors beside their mean: sum of |v - mean|^2 over sum of |v|^2. 1 if all are zero: there is
  /// nothing to share.
  public var residualShare: Double {
    let total = (0..<count).reduce(0.0) { $0 + self[$1, $1] }
    guard total > 0 else { return 1 }
    return max(0, 1 - values.reduce(0, +) / Double(count) / total)
  }
}
