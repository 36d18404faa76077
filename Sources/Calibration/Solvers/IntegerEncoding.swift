import CKernels
import Codecs

/// Integers with a scale a group: symmetric, with zero points, or with biases. Ternary ones use the codes -1, 0 and 1
/// of two bits.
public struct IntegerEncoding: GroupEncoding {
  public let integer: IntegerCodec
  /// Only the codes -1, 0 and 1.
  public let ternary: Bool

  /// Throws `SolverError.shape` for scales by column or of two levels, and for ternary codes that aren't symmetric.
  public init(_ codec: IntegerCodec, ternary: Bool = false) throws(SolverError) {
    guard codec.grouping != .column, case .float = codec.scale else {
      throw .shape("scales by column or of two levels aren't solved for")
    }
    guard !ternary || codec.zero == .none else { throw .shape("ternary codes have no zero point") }
    integer = codec
    self.ternary = ternary
  }

  public var codec: any Codec { integer }

  public func groupColumns(_ columns: Int) -> Int {
    if case .elements(let group) = integer.grouping { group } else { max(columns, 1) }
  }

  public var grid: bale_grid {
    var grid = bale_grid()
    if case .bias = integer.zero { grid.kind = BALE_GRID_BIASED } else { grid.kind = BALE_GRID_AFFINE }
    let half = Float(1 << (integer.bits - 1))
    grid.lowest = ternary ? -1 : integer.zero == .none ? -half : 0
    grid.highest = ternary ? 1 : integer.zero == .none ? half - 1 : 2 * half - 1
    return grid
  }

  public func check(rows: Int, columns: Int) throws(SolverError) {}

  public func fit(_ values: TileValues) -> GroupFit {
    let (low, high) = values.extremes(0)
    guard low != 0 || high != 0 else { return GroupFit(scales: [0], zeros: [0]) }
    let best =
      switch integer.zero {
      case .none: symmetricFit(values, largest: max(-low, high))
      case .code: zeroPointFit(values, low: min(low, 0), high: max(high, 0))
      case .bias(let type): biasFit(values, low: low, high: high, type)
      }
    return GroupFit(scales: [best.scale], zeros: [best.zero])
  }

  public func planes(_ solved: SolvedMatrix) throws(CodecError) -> [[UInt8]] {
    try integer.pack(codes: solved.codes, scales: solved.scales, zeros: solved.zeros, columns: solved.columns)
  }

  /// Scales that map the largest magnitude from just below the last code to somewhat beyond it, of either sign, since
  /// there is one more negative code; the best is then solved for by least squares.
  private func symmetricFit(_ values: TileValues, largest: Float) -> GridFit {
    var search = GridSearch(grid, values)
    let reach = -grid.lowest
    let steps = ternary ? 12 : 14
    for step in 0...steps {
      let divisor = ternary ? 1 + Float(step) / 8 : reach * (0.8 + 0.9 * Float(step) / Float(steps))
      for sign: Float in ternary ? [1] : [1, -1] {
        search.attempt(scale: integer.storedScale(sign * largest / divisor), zero: 0)
      }
    }
    search.refineScale(rounds: 3) { integer.storedScale($0) }
    return search.best
  }

  /// Ranges that hold zero, with each end shrunk by up to a third.
  private func zeroPointFit(_ values: TileValues, low: Float, high: Float) -> GridFit {
    var search = GridSearch(grid, values)
    for bottom in Self.keptRanges {
      for top in Self.keptRanges {
        let scale = integer.storedScale((high * top - low * bottom) / grid.highest)
        guard scale != 0 else { continue }
        let zero = min(max((-low * bottom / scale).rounded(.toNearestOrEven), 0), grid.highest)
        search.attempt(scale: scale, zero: zero)
      }
    }
    search.refineScale(rounds: 2) { integer.storedScale(abs($0)) }
    return search.best
  }

  private func biasFit(_ values: TileValues, low: Float, high: Float, _ type: ScalarFloat) -> GridFit {
    var search = GridSearch(grid, values)
    let middle = low / 2 + high / 2
    for bottom in Self.keptRanges {
      for top in Self.keptRanges {
        let first = middle + (low - middle) * bottom
        let scale = integer.storedScale((middle + (high - middle) * top - first) / grid.highest)
        search.attempt(scale: scale, zero: type.rounded(first))
      }
    }
    return search.best
  }

  private static let keptRanges: [Float] = [1, 0.94, 0.88, 0.82, 0.76, 0.68]
}
