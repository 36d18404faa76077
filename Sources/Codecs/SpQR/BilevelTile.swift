/// The statistics of one tile: four F16 values and two small codes a row. What a fit finds.
public struct BilevelTile: Sendable {
  /// scale_s, zero_s, scale_z, zero_z, as F32 copies of F16 values.
  public var statistics: SIMD4<Float>
  public var scaleCodes: [UInt8]
  public var zeroCodes: [UInt8]

  /// Scale and zero point of a row, as the decoder computes them.
  public func row(_ index: Int, _ arithmetic: BilevelCodec.Arithmetic) -> (scale: Float, zero: Float) {
    (
      arithmetic.scaled(statistics[0], Float(scaleCodes[index]), minus: statistics[1]),
      arithmetic.scaled(statistics[2], Float(zeroCodes[index]), minus: statistics[3])
    )
  }
}

/// Rows of a tile that a fit sees: `rows` by `columns` values with `stride` between rows, and one weight a column.
public struct TileValues {
  public var values: UnsafePointer<Float>
  public var rows: Int
  public var columns: Int
  public var stride: Int
  /// The weight of each column's squared error, or nil for 1.
  public var weights: UnsafePointer<Float>?

  public init(
    values: UnsafePointer<Float>, rows: Int, columns: Int, stride: Int, weights: UnsafePointer<Float>? = nil
  ) {
    self.values = values
    self.rows = rows
    self.columns = columns
    self.stride = stride
    self.weights = weights
  }

  /// The first value of a row.
  public func row(_ index: Int) -> UnsafePointer<Float> { values + index * stride }

  /// The smallest and the largest value of a row.
  public func extremes(_ index: Int) -> (low: Float, high: Float) {
    let row = UnsafeBufferPointer(start: row(index), count: columns)
    return (row.min() ?? 0, row.max() ?? 0)
  }
}

/// Uniform quantizers `scale * (code - zero)` of 2^bits levels, with any real zero point.
enum BilevelFit {
  /// Divides in the place of scales that are 0 or subnormal.
  static let smallestScale: Float = 1e-37

  /// The quantizer that maps `low` to code 0 and `high` to the last one. A constant group gets the range -1...1.
  static func range(_ low: Float, _ high: Float, levels: Float) -> (scale: Float, zero: Float) {
    let (low, high) = low == high ? (-1, 1) : (low, high)
    let scale = (high - low) / levels
    return (scale, -low / scale)
  }

  /// The code of a value: round to nearest, ties to even. Zero where the quantizer isn't finite.
  @inline(__always)
  static func code(_ value: Float, scale: Float, zero: Float, levels: Float) -> Float {
    let position = (value / (abs(scale) < smallestScale ? smallestScale : scale) + zero).rounded(.toNearestOrEven)
    return position > 0 ? min(position, levels) : 0
  }
}

extension BilevelCodec {
  /// The uniform quantizer that maps `low` to code 0 and `high` to code `levels`; -1...1 if they are equal.
  public static func range(_ low: Float, _ high: Float, levels: Float) -> (scale: Float, zero: Float) {
    BilevelFit.range(low, high, levels: levels)
  }

  /// The statistics by the rule of SpQR's engine: every row's range, then the range of the rows' scales and of
  /// their zero points, each to `statisticBits` bits. Second-level values are rounded to F16 before the first-level
  /// codes are chosen, so that what is decided is what is stored.
  public func rangeFit(_ tile: TileValues) -> BilevelTile {
    var scales: [Float] = []
    var zeros: [Float] = []
    for row in 0..<tile.rows {
      let (low, high) = tile.extremes(row)
      let (scale, zero) = BilevelFit.range(low, high, levels: Float((1 << bits) - 1))
      scales.append(scale)
      zeros.append(zero)
    }
    return tileOf(scales: scales, zeros: zeros, exactConstants: false)
  }

  /// Quantizes the scales and zero points of the rows of a tile. With `exactConstants`, what is equal in all rows is
  /// kept to F16; without, it is quantized in -1...1, as SpQR's engine does.
  func tileOf(scales: [Float], zeros: [Float], exactConstants: Bool) -> BilevelTile {
    let (scaleScale, scaleZero, scaleCodes) = secondLevel(scales, exactConstants)
    let (zeroScale, zeroZero, zeroCodes) = secondLevel(zeros, exactConstants)
    return BilevelTile(
      statistics: SIMD4(scaleScale, scaleZero, zeroScale, zeroZero), scaleCodes: scaleCodes, zeroCodes: zeroCodes)
  }

  private func secondLevel(
    _ values: [Float], _ exactConstants: Bool
  ) -> (scale: Float, zero: Float, codes: [UInt8]) {
    let levels = Float((1 << statisticBits) - 1)
    let (low, high) = (values.min() ?? 0, values.max() ?? 0)
    if exactConstants, low == high {
      return (Half.rounded(low), -1, [UInt8](repeating: 0, count: values.count))
    }
    let fit = BilevelFit.range(low, high, levels: levels)
    let scale = Half.rounded(fit.scale)
    let zero = Half.rounded(fit.zero)
    let codes = values.map { UInt8(BilevelFit.code($0, scale: scale, zero: zero, levels: levels)) }
    return (scale, zero, codes)
  }
}

/// Half precision with infinities kept out.
enum Half {
  static let largest: Float = 65504

  /// The nearest finite F16 value; zero for NaN.
  static func rounded(_ value: Float) -> Float {
    value.isNaN ? 0 : ScalarFloat.f16.rounded(min(max(value, -largest), largest))
  }
}
