import CKernels

/// Fits the statistics of a tile by least squares: alternately, each row takes the best of its scale and zero codes
/// and the four second-level values are solved for the rows' codes, until the error no longer falls.
struct BilevelSearch {
  let codec: BilevelCodec
  let tile: TileValues

  /// Rounds of refinement from each start; the error rarely moves after the fourth.
  private static let rounds = 5
  /// Starts: how much of each row's range is kept.
  private static let keptRanges: [Float] = [1, 0.88, 0.76]

  private var levels: Float { Float((1 << codec.bits) - 1) }
  private var statisticLevels: Int { (1 << codec.statisticBits) - 1 }

  /// The best tile found. Never worse than `rangeFit`.
  func run() -> BilevelTile {
    var best = codec.rangeFit(tile)
    var bestError = error(of: best)
    for start in starts() {
      var candidate = start
      var last = Float.infinity
      for round in 0..<Self.rounds {
        chooseRowCodes(&candidate, reach: round == 0 ? statisticLevels : 1)
        let found = error(of: candidate)
        if found < bestError { (best, bestError) = (candidate, found) }
        guard found < last else { break }
        last = found
        solveScales(&candidate)
        solveZeros(&candidate)
      }
    }
    return best
  }

  /// Ranges that hold zero, shrunk by each of the kept shares.
  private func starts() -> [BilevelTile] {
    Self.keptRanges.map { kept in
      var scales: [Float] = []
      var zeros: [Float] = []
      for row in 0..<tile.rows {
        let values = values(of: row)
        let fit = BilevelFit.range(
          min(values.min() ?? 0, 0) * kept, max(values.max() ?? 0, 0) * kept, levels: levels)
        scales.append(fit.scale)
        zeros.append(fit.zero)
      }
      return codec.tileOf(scales: scales, zeros: zeros, exactConstants: true)
    }
  }

  private func values(of index: Int) -> UnsafeBufferPointer<Float> {
    UnsafeBufferPointer(start: tile.values + index * tile.stride, count: tile.columns)
  }

  private func error(of candidate: BilevelTile) -> Float {
    (0..<tile.rows).reduce(0) { $0 + rowError($1, candidate.row($1, codec.arithmetic)) }
  }

  private func rowError(_ index: Int, _ fit: (scale: Float, zero: Float)) -> Float {
    guard fit.scale >= 0, fit.scale.isFinite, fit.zero.isFinite else { return .infinity }
    return bale_affine_error(
      tile.values + index * tile.stride, tile.weights, tile.columns, fit.scale, fit.zero, levels)
  }

  /// Gives each row the pair of codes with the least error, among those within `reach` of what it has.
  private func chooseRowCodes(_ candidate: inout BilevelTile, reach: Int) {
    for index in 0..<tile.rows {
      let (scaleCode, zeroCode) = (Int(candidate.scaleCodes[index]), Int(candidate.zeroCodes[index]))
      var best = Float.infinity
      for s in max(0, scaleCode - reach)...min(statisticLevels, scaleCode + reach) {
        for z in max(0, zeroCode - reach)...min(statisticLevels, zeroCode + reach) {
          let scale = codec.arithmetic.scaled(candidate.statistics[0], Float(s), minus: candidate.statistics[1])
          let zero = codec.arithmetic.scaled(candidate.statistics[2], Float(z), minus: candidate.statistics[3])
          let found = rowError(index, (scale, zero))
          if found < best {
            best = found
            candidate.scaleCodes[index] = UInt8(s)
            candidate.zeroCodes[index] = UInt8(z)
          }
        }
      }
    }
  }

  /// Sums of the normal equations of value = a * u + b * v over the tile.
  private struct NormalEquations {
    var uu = 0.0
    var uv = 0.0
    var vv = 0.0
    var uy = 0.0
    var vy = 0.0

    mutating func add(_ u: Double, _ v: Double, _ y: Double, weight: Double) {
      uu += weight * u * u
      uv += weight * u * v
      vv += weight * v * v
      uy += weight * u * y
      vy += weight * v * y
    }

    /// a and b, or nil if the equations are singular.
    var solution: (Double, Double)? {
      let determinant = uu * vv - uv * uv
      guard determinant > 1e-12 * uu * vv else { return nil }
      return ((uy * vv - vy * uv) / determinant, (vy * uu - uy * uv) / determinant)
    }
  }

  /// With codes and zero points held, value = scale_s * (s * d) - (scale_s * zero_s) * d, where d = code - zero.
  private func solveScales(_ candidate: inout BilevelTile) {
    var equations = NormalEquations()
    eachWeight(candidate) { index, value, code, fit, weight in
      let d = code - Double(fit.zero)
      equations.add(Double(candidate.scaleCodes[index]) * d, -d, value, weight: weight)
    }
    guard let (scale, product) = equations.solution, scale > 0 else { return }
    candidate.statistics[0] = Half.rounded(Float(scale))
    candidate.statistics[1] = Half.rounded(Float(product / scale))
  }

  /// With codes and scales held, scale * code - value = scale_z * (scale * z) - (scale_z * zero_z) * scale.
  private func solveZeros(_ candidate: inout BilevelTile) {
    var equations = NormalEquations()
    eachWeight(candidate) { index, value, code, fit, weight in
      let scale = Double(fit.scale)
      equations.add(scale * Double(candidate.zeroCodes[index]), -scale, scale * code - value, weight: weight)
    }
    guard let (scale, product) = equations.solution, scale != 0 else { return }
    candidate.statistics[2] = Half.rounded(Float(scale))
    candidate.statistics[3] = Half.rounded(Float(product / scale))
  }

  private func eachWeight(
    _ candidate: BilevelTile,
    _ body: (_ row: Int, _ value: Double, _ code: Double, _ fit: (scale: Float, zero: Float), _ weight: Double) -> Void
  ) {
    for index in 0..<tile.rows {
      let fit = candidate.row(index, codec.arithmetic)
      guard fit.scale >= 0 else { continue }
      for (column, value) in values(of: index).enumerated() {
        let code = BilevelFit.code(value, scale: fit.scale, zero: fit.zero, levels: levels)
        body(index, Double(value), Double(code), fit, Double(tile.weights?[column] ?? 1))
      }
    }
  }
}
