import ByteIO

/// A span of SpQR, unpacked.
public struct SpQRMatrix: Sendable, Equatable {
  public var dense: BilevelMatrix
  /// Ascending by position; positions count stored columns.
  public var outliers: [Outlier]
  /// The tensor's column that each stored column holds; empty where columns are stored in the tensor's order.
  public var permutation: [Int]

  public init(dense: BilevelMatrix, outliers: [Outlier], permutation: [Int] = []) {
    self.dense = dense
    self.outliers = outliers
    self.permutation = permutation
  }
}

extension SpQRCodec {
  /// The planes of a span whose columns are in the tensor's order.
  public func pack(_ matrix: BilevelMatrix, outliers: [Outlier]) throws(CodecError) -> [[UInt8]] {
    try pack(SpQRMatrix(dense: matrix, outliers: outliers))
  }

  /// The planes of a span. Throws `CodecError.shape` if outliers don't ascend or one lies outside, or if the
  /// permutation isn't as long as the codec's order asks for.
  public func pack(_ span: SpQRMatrix) throws(CodecError) -> [[UInt8]] {
    let matrix = span.dense
    let positions = span.outliers.map(\.position)
    guard zip(positions, positions.dropFirst()).allSatisfy({ $0 < $1 }), (positions.first ?? 0) >= 0,
      (positions.last ?? -1) < matrix.codes.count
    else {
      throw .shape(
        codec: "spqr", shape: [matrix.rows, matrix.columns], reason: "outliers aren't in ascending order inside it")
    }
    guard span.permutation.count == (columnOrder == .permuted ? matrix.columns : 0) else {
      throw .shape(codec: "spqr", shape: [matrix.rows, matrix.columns], reason: "the permutation has another length")
    }
    let planes = try dense.pack(matrix) + outlierPlanes(span)
    return columnOrder == .permuted ? planes + [packed(span.permutation)] : planes
  }

  /// Index and values, one row of tiles after the other.
  private func outlierPlanes(_ span: SpQRMatrix) -> [[UInt8]] {
    let (rows, columns) = (span.dense.rows, span.dense.columns)
    var planes: [[UInt8]] = [[], [], []]
    var left = span.outliers[...]
    for top in stride(from: 0, to: rows, by: dense.tileRows) {
      let height = min(dense.tileRows, rows - top)
      let here = left.prefix { $0.position < (top + height) * columns }
      left = left.dropFirst(here.count)
      let built = OutlierIndex(
        here.map { $0.position - top * columns }, rows: height, columns: columns, choice: index)
      planes[0] += built.header
      planes[1] += built.columns
    }
    for outlier in span.outliers { planes[2].append(littleEndian: outlier.bits) }
    return planes
  }

  /// The inverse of `pack`.
  public func unpack(_ input: EncodedSpan) throws(CodecError) -> SpQRMatrix {
    try checkPlanes(input, room: input.elements)
    let matrix = try dense.unpack(denseSpan(input))
    var reader = try OutlierReader(input.planes.dropFirst(3).prefix(3))
    var outliers: [Outlier] = []
    for top in stride(from: 0, to: matrix.rows, by: dense.tileRows) {
      let height = min(dense.tileRows, matrix.rows - top)
      try reader.next(rows: height, columns: matrix.columns) { (position, bits) in
        outliers.append(Outlier(position: top * matrix.columns + position, bits: bits))
      }
    }
    try reader.finish()
    return SpQRMatrix(
      dense: matrix, outliers: outliers, permutation: columnOrder == .permuted ? try permutation(input) : [])
  }

  private func packed(_ permutation: [Int]) -> [UInt8] {
    var bytes: [UInt8] = []
    for column in permutation {
      if Self.permutationBytes(permutation.count) == 2 {
        bytes.append(littleEndian: UInt16(truncatingIfNeeded: column))
      } else {
        bytes.append(littleEndian: UInt32(truncatingIfNeeded: column))
      }
    }
    return bytes
  }
}

extension SpQRMatrix {
  /// Some of its rows, from a multiple of the rows of a tile.
  public func slice(_ rows: Range<Int>, tileRows: Int) -> SpQRMatrix {
    let columns = dense.columns
    let groups = dense.rows == 0 ? 0 : dense.scaleCodes.count / dense.rows
    let tiles = rows.lowerBound / tileRows * groups..<(rows.upperBound + tileRows - 1) / tileRows * groups
    let elements = rows.lowerBound * columns..<rows.upperBound * columns
    let part = BilevelMatrix(
      rows: rows.count, columns: columns, codes: Array(dense.codes[elements]),
      scaleCodes: Array(dense.scaleCodes[rows.lowerBound * groups..<rows.upperBound * groups]),
      zeroCodes: Array(dense.zeroCodes[rows.lowerBound * groups..<rows.upperBound * groups]),
      statistics: Array(dense.statistics[tiles.lowerBound * 4..<tiles.upperBound * 4]))
    let found = outliers.filter { elements.contains($0.position) }
      .map { Outlier(position: $0.position - elements.lowerBound, bits: $0.bits) }
    return SpQRMatrix(dense: part, outliers: found, permutation: permutation)
  }

  /// Adds rows below, of the same columns, order and tiles.
  public mutating func append(_ part: SpQRMatrix) {
    let start = dense.codes.count
    dense = BilevelMatrix(
      rows: dense.rows + part.dense.rows, columns: dense.columns, codes: dense.codes + part.dense.codes,
      scaleCodes: dense.scaleCodes + part.dense.scaleCodes, zeroCodes: dense.zeroCodes + part.dense.zeroCodes,
      statistics: dense.statistics + part.dense.statistics)
    outliers += part.outliers.map { Outlier(position: start + $0.position, bits: $0.bits) }
  }
}
