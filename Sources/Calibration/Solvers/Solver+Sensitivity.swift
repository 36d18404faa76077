extension Solver {
  /// For each weight, row-major, the squared error of rounding it, divided by the squared diagonal of U, where
  /// U^T U is the inverse of the damped Hessian: what it adds to the squared error of the outputs when the weights
  /// after it make up for it. Throws `SolverError`.
  public func sensitivity(_ weights: [Float], columns: Int, hessian: Hessian?) throws -> [Float] {
    let rows = columns == 0 ? 0 : weights.count / columns
    let solved = try solve(weights, rows: rows, prepared: prepare(hessian, columns: columns))
    let factored = try PreparedHessian(
      hessian, columns: columns, encoding: encoding, order: .natural, damping: damping, propagates: true)
    var weight = [Float](repeating: 1, count: columns)
    for (place, column) in factored.schedule.columns.enumerated() {
      weight[column] = 1 / (factored.diagonal[place] * factored.diagonal[place])
    }
    return weights.indices.map { index in
      let error = weights[index] - solved.decoded[index]
      return error * error * weight[index % columns]
    }
  }
}
