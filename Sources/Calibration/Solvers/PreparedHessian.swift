import Codecs
import Pipeline

/// What a solver derives from a Hessian before it sees weights: the order of columns, and the factor by which the
/// error of a column is made up for in those that follow. Weights with the same inputs (gate and up) can share one.
public struct PreparedHessian: Sendable {
  let schedule: GroupSchedule
  /// Upper triangular U with U^T U = inverse of the damped Hessian in the order of the schedule, row-major; nil if
  /// errors aren't passed on.
  let factor: [Float]?
  /// The diagonal of U: a column's error counts by its inverse square. All 1 without a Hessian.
  let diagonal: [Float]
  /// The damped Hessian in the order of the schedule, or its diagonal alone; nil without one.
  let damped: Hessian.Moments?
  /// What damping added to each value of the diagonal.
  public let added: Float

  /// The least damping that is tried where a Hessian can't be factored, and the most.
  private static let smallestDamping: Float = 1e-6
  private static let largestDamping: Float = 1

  /// - Parameters:
  ///   - hessian: nil for weights that count the same, each for itself.
  ///   - order: the order of rounding, for encodings that don't store one.
  ///   - damping: this share of the mean of the diagonal is added to the diagonal; ten times as much for as long as
  ///     the sum can't be factored.
  ///   - propagates: whether the error of a column is made up for (GPTQ). A diagonal has nothing to do so by.
  /// Throws `SolverError.hessian` if the statistics are none, or can't be factored even with damping 1.
  public init(
    _ hessian: Hessian?, columns: Int, encoding: any GroupEncoding, order: ColumnOrder, damping: Float,
    propagates: Bool, threads: Int = 1
  ) throws(SolverError) {
    guard damping >= 0, damping <= Self.largestDamping else { throw .hessian("damping \(damping) isn't in 0...1") }
    let group = encoding.groupColumns(columns)
    guard let hessian else {
      schedule = GroupSchedule(
        columns: columns, groupColumns: group, diagonal: [Float](repeating: 1, count: columns), order: .natural,
        isStored: encoding.storesOrder)
      factor = nil
      diagonal = [Float](repeating: 1, count: columns)
      damped = nil
      added = 0
      return
    }
    guard hessian.columns == columns else {
      throw .shape("statistics of \(hessian.columns) inputs for a weight of \(columns) columns")
    }
    try hessian.check()
    let means = hessian.diagonal
    schedule = GroupSchedule(
      columns: columns, groupColumns: group, diagonal: means, order: order, isStored: encoding.storesOrder)
    let mean = Float(means.reduce(0.0) { $0 + Double($1) } / Double(max(columns, 1)))
    // Inputs that are always zero leave the choice free; any positive number makes their weights round to nearest.
    let scale = mean > 0 ? mean : 1
    guard case .full(let values) = hessian.moments, propagates else {
      added = max(damping, Self.smallestDamping) * scale
      (factor, diagonal, damped) = Self.diagonalParts(hessian, schedule, added: added, threads: threads)
      return
    }
    var permuted = Self.permuted(values, schedule.columns, threads: threads)
    var share = damping
    while share <= Self.largestDamping {
      if let factor = InverseFactor.of(permuted, size: columns, adding: share * scale, threads: threads) {
        self.factor = factor
        diagonal = (0..<columns).map { factor[$0 * columns + $0] }
        added = share * scale
        Self.add(added, toDiagonalOf: &permuted, columns)
        damped = .full(permuted)
        return
      }
      share = max(share * 10, Self.smallestDamping)
    }
    throw .hessian("it isn't positive definite, even with its mean added to the diagonal")
  }

  private static func diagonalParts(
    _ hessian: Hessian, _ schedule: GroupSchedule, added: Float, threads: Int
  ) -> ([Float]?, [Float], Hessian.Moments) {
    let means = hessian.diagonal
    let sums = schedule.columns.map { means[$0] + added }
    let diagonal = sums.map { 1 / $0.squareRoot() }
    guard case .full(let values) = hessian.moments else { return (nil, diagonal, .diagonal(sums)) }
    var permuted = permuted(values, schedule.columns, threads: threads)
    add(added, toDiagonalOf: &permuted, schedule.columns.count)
    return (nil, diagonal, .full(permuted))
  }

  /// Rows and columns in the order of the schedule, mirrored values made equal.
  private static func permuted(_ values: [Float], _ order: [Int], threads: Int) -> [Float] {
    let size = order.count
    return [Float](unsafeUninitializedCapacity: size * size) { output, count in
      count = size * size
      values.withUnsafeBufferPointer { values in
        nonisolated(unsafe) let (values, output) = (values, output)
        let pairs = SquareBlocks(size).pairs
        Workers.spread(pairs.count, threads: threads) { index in
          for place in pairs[index].rows {
            for other in pairs[index].columns where other <= place {
              let (row, column) = (order[place], order[other])
              let mean = values[row * size + column] / 2 + values[column * size + row] / 2
              output[place * size + other] = mean
              output[other * size + place] = mean
            }
          }
        }
      }
    }
  }

  private static func add(_ amount: Float, toDiagonalOf values: inout [Float], _ size: Int) {
    for place in 0..<size { values[place * size + place] += amount }
  }
}
