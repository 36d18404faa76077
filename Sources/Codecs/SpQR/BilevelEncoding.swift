extension BilevelCodec {
  /// The statistics of a tile by a rule: `range` as SpQR's engine, `search` by least squares.
  public func fit(_ tile: TileValues, rule: ScaleRule) throws(CodecError) -> BilevelTile {
    switch rule {
    case .range: return rangeFit(tile)
    case .search: return searchFit(tile)
    case .absmax, .floor, .even, .ceil, .compatible: throw .rule(codec: "bilevel", rule: rule)
    }
  }

  /// The statistics of a tile by least squares; never worse than `rangeFit`.
  public func searchFit(_ tile: TileValues) -> BilevelTile { BilevelSearch(self, tile).run() }

  public func encode(
    _ values: UnsafeBufferPointer<Float>, columns: Int, rule: ScaleRule,
    into planes: [UnsafeMutableRawBufferPointer]
  ) throws(CodecError) {
    let packed = try pack(quantize(values, columns: columns, rule: rule))
    for (index, plane) in planes.enumerated() {
      guard plane.count == packed[index].count else {
        throw .planeSize(
          codec: "bilevel", plane: self.planes[index].role, expected: packed[index].count, found: plane.count)
      }
      plane.copyBytes(from: packed[index])
    }
  }

  /// Quantizes whole rows, round to nearest. Throws `CodecError.unencodable` on NaN and infinity.
  public func quantize(
    _ values: UnsafeBufferPointer<Float>, columns: Int, rule: ScaleRule
  ) throws(CodecError) -> BilevelMatrix {
    if let bad = values.firstIndex(where: { !$0.isFinite }) {
      throw .unencodable(codec: "bilevel", element: bad, value: values[bad])
    }
    let rows = columns == 0 ? 0 : values.count / columns
    var matrix = BilevelMatrix(rows: rows, columns: columns, codec: self)
    guard let base = values.baseAddress else { return matrix }
    for top in stride(from: 0, to: rows, by: tileRows) {
      for left in stride(from: 0, to: columns, by: tileColumns) {
        let tile = TileValues(
          values: base + top * columns + left, rows: min(tileRows, rows - top),
          columns: min(tileColumns, columns - left), stride: columns)
        let fitted = try fit(tile, rule: rule)
        matrix.set(fitted, top: top, left: left, codec: self)
        for row in 0..<tile.rows {
          let (scale, zero) = fitted.row(row, arithmetic)
          for column in 0..<tile.columns {
            matrix.codes[(top + row) * columns + left + column] = code(
              tile.values[row * columns + column], scale: scale, zero: zero)
          }
        }
      }
    }
    return matrix
  }

  /// The code of a value under a row's scale and zero point: nearest, ties to even.
  @inline(__always)
  public func code(_ value: Float, scale: Float, zero: Float) -> UInt8 {
    UInt8(BilevelFit.code(value, scale: scale, zero: zero, levels: Float((1 << bits) - 1)))
  }
}

extension BilevelMatrix {
  /// Stores a fitted tile whose first weight is at row `top` and column `left`.
  public mutating func set(_ tile: BilevelTile, top: Int, left: Int, codec: BilevelCodec) {
    let across = codec.tilesAcross(columns: columns)
    let group = left / codec.tileColumns
    let index = top / codec.tileRows * across + group
    for statistic in 0..<4 { statistics[4 * index + statistic] = tile.statistics[statistic].roundedToF16 }
    for row in tile.scaleCodes.indices {
      scaleCodes[(top + row) * across + group] = tile.scaleCodes[row]
      zeroCodes[(top + row) * across + group] = tile.zeroCodes[row]
    }
  }
}
