import ByteIO

extension SpQRCodec {
  public func decode(_ input: EncodedSpan, into output: UnsafeMutableBufferPointer<Float>) throws(CodecError) {
    guard dense.hasKernel else { return try decodeReference(input, into: output) }
    try combine(input, into: output) { (tileRow, height) in
      dense.decodeTileRow(tileRow, height: height, of: input, into: output)
    }
  }

  public func decodeReference(
    _ input: EncodedSpan, into output: UnsafeMutableBufferPointer<Float>
  ) throws(CodecError) {
    try dense.decodeReference(denseSpan(input), into: output)
    try combine(input, into: output) { _, _ in }
  }

  /// The planes of the dense part of a span.
  private func denseSpan(_ input: EncodedSpan) -> EncodedSpan {
    EncodedSpan(planes: Array(input.planes.prefix(3)), elements: input.elements, columns: input.columns)
  }

  /// For each row of tiles: lets `decodeDense` write its dense values, then puts its outliers among them while they
  /// are in the cache.
  private func combine(
    _ input: EncodedSpan, into output: UnsafeMutableBufferPointer<Float>, decodeDense: (Int, Int) -> Void
  ) throws(CodecError) {
    try checkPlanes(input, room: output.count)
    try dense.check(denseSpan(input), room: output.count)
    var reader = try OutlierReader(input.planes.dropFirst(3))
    let rows = input.columns == 0 ? 0 : input.elements / input.columns
    for top in stride(from: 0, to: rows, by: dense.tileRows) {
      let height = min(dense.tileRows, rows - top)
      decodeDense(top / dense.tileRows, height)
      let target = UnsafeMutableBufferPointer(rebasing: output[(top * input.columns)...])
      try reader.next(rows: height, columns: input.columns) { (position, bits) in
        let value = outlierValue(bits)
        target[position] = combine == .replace ? value : dense.arithmetic.sum(target[position], value)
      }
    }
    try reader.finish()
  }

  /// The planes of a span made of a dense matrix and its outliers, ascending by position.
  /// Throws `CodecError.shape` if they aren't, or one lies outside.
  public func pack(_ matrix: BilevelMatrix, outliers: [Outlier]) throws(CodecError) -> [[UInt8]] {
    var planes = try dense.pack(matrix)
    let ascending = zip(outliers, outliers.dropFirst()).allSatisfy { $0.position < $1.position }
    guard ascending, (outliers.first?.position ?? 0) >= 0, (outliers.last?.position ?? -1) < matrix.codes.count else {
      throw .shape(
        codec: "spqr", shape: [matrix.rows, matrix.columns], reason: "outliers aren't in ascending order inside it")
    }
    var rowsPlane: [UInt8] = []
    var columnsPlane: [UInt8] = []
    var next = outliers.startIndex
    for top in stride(from: 0, to: matrix.rows, by: dense.tileRows) {
      let height = min(dense.tileRows, matrix.rows - top)
      let end = (top + height) * matrix.columns
      let first = next
      while next < outliers.endIndex, outliers[next].position < end { next += 1 }
      let positions = outliers[first..<next].map { $0.position - top * matrix.columns }
      let built = OutlierIndex(positions, rows: height, columns: matrix.columns, choice: index)
      rowsPlane += built.header
      columnsPlane += built.columns
    }
    var valuesPlane: [UInt8] = []
    for outlier in outliers { valuesPlane.append(littleEndian: outlier.bits) }
    planes += [rowsPlane, columnsPlane, valuesPlane]
    return planes
  }

  /// The inverse of `pack`.
  public func unpack(_ input: EncodedSpan) throws(CodecError) -> (matrix: BilevelMatrix, outliers: [Outlier]) {
    let matrix = try dense.unpack(denseSpan(input))
    var reader = try OutlierReader(input.planes.dropFirst(3))
    var outliers: [Outlier] = []
    for top in stride(from: 0, to: matrix.rows, by: dense.tileRows) {
      let height = min(dense.tileRows, matrix.rows - top)
      try reader.next(rows: height, columns: matrix.columns) { (position, bits) in
        outliers.append(Outlier(position: top * matrix.columns + position, bits: bits))
      }
    }
    try reader.finish()
    return (matrix, outliers)
  }
}
