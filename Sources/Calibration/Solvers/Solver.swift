import Codecs
import Pipeline

/// Chooses codes, scales and outliers for a weight so that its outputs change least, given the second moments of its
/// inputs. The result doesn't depend on the number of threads.
public struct Solver: Sendable {
  public var encoding: any GroupEncoding
  public var method: Method
  /// The order of rounding, for encodings that don't store one.
  public var order: ColumnOrder
  /// The share of the Hessian's mean diagonal that is added to its diagonal.
  public var damping: Float
  /// Which weights are kept apart, for SpQR.
  public var outliers: OutlierRule?
  /// How often all groups are gone over again after GPTQ. Each sweep takes about as long as GPTQ itself.
  public var sweeps: Int
  public var threads: Int

  public enum Method: String, Sendable, CaseIterable {
    /// Each weight to its nearest code, under the scales with the least squared error; the error of a column counts
    /// by its mean square input.
    case nearest
    /// Errors are made up for in the columns that follow (GPTQ).
    case gptq
  }

  /// Rows solved together: enough for matrix products to be fast, few enough to keep all cores busy. A multiple of
  /// the usual tile.
  static let chunkRows = 256

  public init(
    _ encoding: any GroupEncoding, method: Method = .gptq, order: ColumnOrder = .importance, damping: Float = 0.1,
    outliers: OutlierRule? = nil, sweeps: Int = 2, threads: Int = 1
  ) {
    self.encoding = encoding
    self.method = method
    self.order = order
    self.damping = damping
    self.outliers = outliers
    self.sweeps = sweeps
    self.threads = threads
  }

  /// Derives what solving needs from a Hessian; nil for none.
  public func prepare(_ hessian: Hessian?, columns: Int) throws(SolverError) -> PreparedHessian {
    try PreparedHessian(
      hessian, columns: columns, encoding: encoding, order: order, damping: damping, propagates: method == .gptq,
      threads: threads)
  }

  /// Solves a weight of `rows` rows, row-major. Throws `SolverError`.
  public func solve(_ weights: [Float], rows: Int, prepared: PreparedHessian) throws -> SolvedMatrix {
    let columns = prepared.diagonal.count
    guard rows >= 0, weights.count == rows * columns else {
      throw SolverError.shape("\(weights.count) weights in \(rows) rows of \(columns)")
    }
    if let bad = weights.firstIndex(where: { !$0.isFinite }) {
      throw SolverError.weight(row: bad / columns, column: bad % columns, value: weights[bad])
    }
    try encoding.check(rows: rows, columns: columns)
    guard encoding.storesOrder == prepared.schedule.isStored else {
      throw SolverError.shape("the Hessian was prepared for another order of columns")
    }
    let assembly = SolvedAssembly(rows: rows, columns: columns, encoding: encoding, prepared: prepared)
    let chunkSolver = try chunkSolver(weights, rows: rows, prepared: prepared)
    let refinement = sweeps > 0 ? Refinement(encoding: encoding, prepared: prepared) : nil
    let (chunkRows, sweeps, hasOutliers) = (chunkRows, sweeps, outliers != nil)
    let groups = assembly.groups
    try OrderedPipeline.run(
      count: (rows + chunkRows - 1) / chunkRows, threads: threads, window: threads + 1,
      produce: { index in
        let first = index * chunkRows
        let count = min(chunkRows, rows - first)
        let chunk = RowChunk(rows: count, columns: columns, groups: groups, hasOutliers: hasOutliers)
        chunk.load(weights, firstRow: first, order: prepared.schedule.columns)
        let solved = chunkSolver.run(chunk)
        var damped = prepared.factor == nil ? nil : solved
        if let refinement {
          chunk.load(weights, firstRow: first, order: prepared.schedule.columns)
          damped = refinement.run(chunk, sweeps: sweeps)
        }
        return assembly.part(chunk, of: weights, firstRow: first, damped: damped)
      },
      consume: { _, part in assembly.append(part) })
    return assembly.result
  }

  /// A multiple of the rows that are fitted together.
  private var chunkRows: Int {
    (Self.chunkRows + encoding.groupRows - 1) / encoding.groupRows * encoding.groupRows
  }

  private func chunkSolver(
    _ weights: [Float], rows: Int, prepared: PreparedHessian
  ) throws(SolverError) -> ChunkSolver {
    guard let outliers else {
      return ChunkSolver(encoding: encoding, prepared: prepared, threshold: .infinity, leaveOneOut: nil)
    }
    guard let bilevel = encoding as? BilevelEncoding, bilevel.spqr != nil else {
      throw .shape("\(encoding.codec.descriptor) has no outliers")
    }
    let threshold = outliers.absolute(weights, rows: rows, prepared: prepared)
    let leaveOneOut =
      outliers.leavesOut && threshold < .infinity
      ? LeaveOneOut(bits: bilevel.bilevel.bits, threshold: threshold) : nil
    return ChunkSolver(encoding: encoding, prepared: prepared, threshold: threshold, leaveOneOut: leaveOneOut)
  }
}
