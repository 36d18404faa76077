import CKernels

/// The four second-level statistics of a tile, as the F32 values of the stored F16.
struct TileStatistics {
  var scaleScale: Float
  var scaleZero: Float
  var zeroScale: Float
  var zeroZero: Float

  /// The statistics of tile `tile` of a second-level plane.
  init(_ plane: UnsafeRawBufferPointer, tile: Int) {
    func half(_ index: Int) -> Float { ScalarFloat.f16.load(plane, tile * 4 + index) }
    scaleScale = half(0)
    scaleZero = half(1)
    zeroScale = half(2)
    zeroZero = half(3)
  }
}

extension BilevelCodec.Arithmetic {
  /// `outer * (inner - offset)`, each operation rounded to this precision.
  @inline(__always) func scaled(_ outer: Float, _ inner: Float, minus offset: Float) -> Float {
    switch self {
    case .f32: outer * (inner - offset)
    case .f16: ScalarFloat.f16.rounded(outer * ScalarFloat.f16.rounded(inner - offset))
    }
  }

  /// `a + b`, rounded to this precision.
  @inline(__always) func sum(_ a: Float, _ b: Float) -> Float {
    switch self {
    case .f32: a + b
    case .f16: ScalarFloat.f16.rounded(a + b)
    }
  }
}

extension BilevelCodec {
  public func decodeReference(
    _ input: EncodedSpan, into output: UnsafeMutableBufferPointer<Float>
  ) throws(CodecError) {
    try check(input, room: output.count)
    guard input.columns > 0 else { return }
    let rows = input.elements / input.columns
    let across = tilesAcross(columns: input.columns)
    for tile in 0..<tiles(elements: input.elements, columns: input.columns) {
      let top = tile / across * tileRows
      let left = tile % across * tileColumns
      let statistics = TileStatistics(input.planes[2], tile: tile)
      for row in 0..<min(tileRows, rows - top) {
        let (scale, zero) = rowStatistics(input.planes[1], tile: tile, row: row, statistics)
        for column in 0..<min(tileColumns, input.columns - left) {
          let code = Bits.read(
            input.planes[0], byte: tile * codeBytes, index: row * tileColumns + column, width: bits)
          output[(top + row) * input.columns + left + column] = arithmetic.scaled(scale, Float(code), minus: zero)
        }
      }
    }
  }

  /// Scale and zero point of a row of a tile.
  private func rowStatistics(
    _ plane: UnsafeRawBufferPointer, tile: Int, row: Int, _ tileStatistics: TileStatistics
  ) -> (scale: Float, zero: Float) {
    let start = tile * 2 * statisticBytes
    let scaleCode = Bits.read(plane, byte: start, index: row, width: statisticBits)
    let zeroCode = Bits.read(plane, byte: start + statisticBytes, index: row, width: statisticBits)
    return (
      arithmetic.scaled(tileStatistics.scaleScale, Float(scaleCode), minus: tileStatistics.scaleZero),
      arithmetic.scaled(tileStatistics.zeroScale, Float(zeroCode), minus: tileStatistics.zeroZero)
    )
  }

  /// True for the geometries that have a kernel.
  var hasKernel: Bool { tileRows % 16 == 0 && tileColumns % 16 == 0 && statisticBits == 3 }

  /// The geometry, for the kernel.
  var kernelTiles: bale_tiles {
    bale_tiles(rows: tileRows, columns: tileColumns, code_bytes: codeBytes, statistic_bytes: 2 * statisticBytes)
  }

  public func decode(_ input: EncodedSpan, into output: UnsafeMutableBufferPointer<Float>) throws(CodecError) {
    guard hasKernel else { return try decodeReference(input, into: output) }
    try check(input, room: output.count)
    guard input.elements > 0 else { return }
    let rows = input.elements / input.columns
    for top in stride(from: 0, to: rows, by: tileRows) {
      decodeTileRow(top / tileRows, height: min(tileRows, rows - top), of: input, into: output)
    }
  }

  /// Decodes one row of tiles of a checked span by the kernel, to its place in `output`.
  func decodeTileRow(
    _ tileRow: Int, height: Int, of input: EncodedSpan, into output: UnsafeMutableBufferPointer<Float>
  ) {
    let first = tileRow * tilesAcross(columns: input.columns)
    var tiles = kernelTiles
    bale_bilevel_decode(
      &tiles,
      input.planes[0].baseAddress?.advanced(by: first * codeBytes),
      input.planes[1].baseAddress?.advanced(by: first * 2 * statisticBytes),
      input.planes[2].baseAddress?.advanced(by: first * Self.secondLevelBytes),
      Int32(bits), arithmetic == .f16 ? 1 : 0, height, input.columns,
      output.baseAddress?.advanced(by: tileRow * tileRows * input.columns))
  }
}
