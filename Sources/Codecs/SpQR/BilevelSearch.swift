import CKernels

/// Fits the statistics of a tile by least squares: alternately, each row takes the best of its scale and zero codes
/// and the four second-level values are solved for the rows' codes, until the error no longer falls.
struct BilevelSearch {
  private let codec: BilevelCodec
  private let tile: TileValues
  private var grid: bale_grid
  /// The tile with its columns one after another, `stride` places each.
  private let values: [Float]
  private let stride: Int

  /// Rounds of refinement from each start; the error rarely moves after the fourth.
  private static let rounds = 5
  /// How far from a start's codes the first round looks. All codes leave a thousandth less error, in twice the time.
  private static let firstReach = 2
  /// Starts: how much of each row's range is kept.
  private static let keptRanges: [Float] = [1, 0.85]

  init(_ codec: BilevelCodec, _ tile: TileValues) {
    self.codec = codec
    self.tile = tile
    grid = codec.grid
    let lanes = BALE_TILE_LANES
    let stride = (tile.rows + lanes - 1) / lanes * lanes
    self.stride = stride
    values = [Float](unsafeUninitializedCapacity: stride * tile.columns) { values, count in
      count = stride * tile.columns
      values.initialize(repeating: 0)
      for row in 0..<tile.rows {
        let source = tile.row(row)
        for column in 0..<tile.columns { values[column * stride + row] = source[column] }
      }
    }
  }

  /// The best tile found. Never worse than `rangeFit`.
  func run() -> BilevelTile {
    var best = codec.rangeFit(tile)
    var bestError = chooseRowCodes(&best, reach: 0)
    for kept in Self.keptRanges {
      var candidate = start(keeping: kept)
      var last = Float.infinity
      for round in 0..<Self.rounds {
        let found = chooseRowCodes(&candidate, reach: round == 0 ? Self.firstReach : 1)
        if found < bestError { (best, bestError) = (candidate, found) }
        guard found < last else { break }
        last = found
        solveScales(&candidate)
        solveZeros(&candidate)
      }
    }
    return best
  }

  /// Ranges that hold zero, shrunk.
  private func start(keeping kept: Float) -> BilevelTile {
    var scales: [Float] = []
    var zeros: [Float] = []
    for index in 0..<tile.rows {
      let (low, high) = tile.extremes(index)
      let fit = BilevelFit.range(min(low, 0) * kept, max(high, 0) * kept, levels: grid.highest)
      scales.append(fit.scale)
      zeros.append(fit.zero)
    }
    return codec.tileOf(scales: scales, zeros: zeros, exactConstants: true)
  }

  /// Gives each row the pair of codes with the least error, among those within `reach` of what it has. Returns the
  /// error of the tile.
  private func chooseRowCodes(_ candidate: inout BilevelTile, reach: Int) -> Float {
    let scales = codec.scales(candidate.statistics)
    let zeros = codec.zeros(candidate.statistics)
    return withRows { rows in
      withUnsafePointer(to: grid) {
        bale_bilevel_choose(
          $0, rows, scales, zeros, Int32(scales.count), Int32(reach), &candidate.scaleCodes, &candidate.zeroCodes)
      }
    }
  }

  private func withRows<Result>(_ body: (UnsafePointer<bale_bilevel_rows>) -> Result) -> Result {
    values.withUnsafeBufferPointer { values in
      var rows = bale_bilevel_rows(
        values: values.baseAddress, weights: tile.weights, rows: tile.rows, columns: tile.columns, stride: stride)
      return body(&rows)
    }
  }

  /// With codes and zero points held, value = scale_s * (s * d) - (scale_s * zero_s) * d, where d = code - zero.
  private func solveScales(_ candidate: inout BilevelTile) {
    var equations = NormalEquations()
    eachRow(candidate) { index, _, moment in
      equations.add(Double(candidate.scaleCodes[index]), -1, moment(0), moment(1))
    }
    guard let (scale, product) = equations.solution, scale > 0 else { return }
    candidate.statistics[0] = Half.rounded(Float(scale))
    candidate.statistics[1] = Half.rounded(Float(product / scale))
  }

  /// With codes and scales held, scale * code - value = scale_z * (scale * z) - (scale_z * zero_z) * scale.
  private func solveZeros(_ candidate: inout BilevelTile) {
    var equations = NormalEquations()
    eachRow(candidate) { index, scale, moment in
      let scale = Double(scale)
      equations.add(scale * Double(candidate.zeroCodes[index]), -scale, moment(2), moment(3))
    }
    guard let (scale, product) = equations.solution, scale != 0 else { return }
    candidate.statistics[2] = Half.rounded(Float(scale))
    candidate.statistics[3] = Half.rounded(Float(product / scale))
  }

  /// `body` gets the sums that `bale_bilevel_moments` names, by their number.
  private func eachRow(
    _ candidate: BilevelTile, _ body: (_ row: Int, _ scale: Float, _ moment: (Int) -> Double) -> Void
  ) {
    withUnsafeTemporaryAllocation(of: Float.self, capacity: 6 * stride) { room in
      guard let scales = room.baseAddress else { return }
      let (zeros, sums) = (scales + stride, scales + 2 * stride)
      scales.initialize(repeating: 0, count: 6 * stride)
      for index in 0..<tile.rows { (scales[index], zeros[index]) = candidate.row(index, codec.arithmetic) }
      withRows { rows in withUnsafePointer(to: grid) { bale_bilevel_moments($0, rows, scales, zeros, sums) } }
      for index in 0..<tile.rows where scales[index] >= 0 && scales[index].isFinite && zeros[index].isFinite {
        body(index, scales[index]) { Double(sums[$0 * stride + index]) }
      }
    }
  }
}

/// The normal equations of y = a * u + b * v, where u and v are the same for all values of a row: added row by row.
private struct NormalEquations {
  private var uu = 0.0
  private var uv = 0.0
  private var vv = 0.0
  private var uy = 0.0
  private var vy = 0.0

  /// A row whose values have the sum of squares `square` by what they multiply, and `product` with y.
  mutating func add(_ u: Double, _ v: Double, _ square: Double, _ product: Double) {
    uu += u * u * square
    uv += u * v * square
    vv += v * v * square
    uy += u * product
    vy += v * product
  }

  /// a and b, or nil if the equations are singular.
  var solution: (Double, Double)? {
    let determinant = uu * vv - uv * uv
    guard determinant > 1e-9 * uu * vv else { return nil }
    return ((uy * vv - vy * uv) / determinant, (vy * uu - uy * uv) / determinant)
  }
}

extension BilevelCodec {
  /// The largest scale code and zero code.
  var statisticLevels: Int { (1 << statisticBits) - 1 }

  /// What a code stands for.
  public var grid: bale_grid {
    var grid = bale_grid()
    grid.kind = BALE_GRID_AFFINE
    grid.highest = Float((1 << bits) - 1)
    grid.half = arithmetic == .f16 ? 1 : 0
    return grid
  }

  /// The scale of every scale code.
  func scales(_ statistics: SIMD4<Float>) -> [Float] {
    (0...statisticLevels).map { arithmetic.scaled(statistics[0], Float($0), minus: statistics[1]) }
  }

  /// The zero point of every zero code.
  func zeros(_ statistics: SIMD4<Float>) -> [Float] {
    (0...statisticLevels).map { arithmetic.scaled(statistics[2], Float($0), minus: statistics[3]) }
  }
}
