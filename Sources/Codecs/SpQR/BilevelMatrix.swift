/// What the dense planes of rows of tiles hold, unpacked: what a solver chooses and a packer stores, exactly.
public struct BilevelMatrix: Sendable, Equatable {
  public let rows: Int
  public let columns: Int
  /// `rows` by `columns` codes, row-major.
  public var codes: [UInt8]
  /// `rows` by groups (`tilesAcross`) scale codes, row-major.
  public var scaleCodes: [UInt8]
  /// Zero codes, in the order of the scale codes.
  public var zeroCodes: [UInt8]
  /// The F16 bit patterns scale_s, zero_s, scale_z, zero_z of each tile, tile rows first.
  public var statistics: [UInt16]

  init(
    rows: Int, columns: Int, codes: [UInt8], scaleCodes: [UInt8], zeroCodes: [UInt8], statistics: [UInt16]
  ) {
    self.rows = rows
    self.columns = columns
    self.codes = codes
    self.scaleCodes = scaleCodes
    self.zeroCodes = zeroCodes
    self.statistics = statistics
  }

  /// A matrix of zeros for a codec's geometry.
  public init(rows: Int, columns: Int, codec: BilevelCodec) {
    let groups = codec.tilesAcross(columns: columns)
    self.rows = rows
    self.columns = columns
    codes = [UInt8](repeating: 0, count: rows * columns)
    scaleCodes = [UInt8](repeating: 0, count: rows * groups)
    zeroCodes = scaleCodes
    statistics = [UInt16](repeating: 0, count: codec.tiles(elements: rows * columns, columns: columns) * 4)
  }
}

extension BilevelCodec {
  /// The planes of a matrix. Codes of the padding of tiles at the right and bottom edges are zero.
  /// Throws `CodecError.shape` if the arrays don't have the sizes of this geometry, or a code is too wide.
  public func pack(_ matrix: BilevelMatrix) throws(CodecError) -> [[UInt8]] {
    try check(matrix)
    let across = tilesAcross(columns: matrix.columns)
    let tiles = matrix.statistics.count / 4
    var planes = tileBytes.map { [UInt8](repeating: 0, count: tiles * $0) }
    for row in 0..<matrix.rows {
      let firstTile = row / tileRows * across
      for group in 0..<across {
        let start = (firstTile + group) * 2 * statisticBytes
        let at = row * across + group
        let index = row % tileRows
        Bits.write(matrix.scaleCodes[at], &planes[1], byte: start, index: index, width: statisticBits)
        Bits.write(matrix.zeroCodes[at], &planes[1], byte: start + statisticBytes, index: index, width: statisticBits)
      }
      for column in 0..<matrix.columns {
        let index = row % tileRows * tileColumns + column % tileColumns
        let start = (firstTile + column / tileColumns) * codeBytes
        Bits.write(matrix.codes[row * matrix.columns + column], &planes[0], byte: start, index: index, width: bits)
      }
    }
    for (index, word) in matrix.statistics.enumerated() {
      planes[2][2 * index] = UInt8(truncatingIfNeeded: word)
      planes[2][2 * index + 1] = UInt8(word >> 8)
    }
    return planes
  }

  /// The inverse of `pack`.
  public func unpack(_ input: EncodedSpan) throws(CodecError) -> BilevelMatrix {
    try check(input, room: input.elements)
    let rows = input.columns == 0 ? 0 : input.elements / input.columns
    var matrix = BilevelMatrix(rows: rows, columns: input.columns, codec: self)
    let across = tilesAcross(columns: input.columns)
    for row in 0..<rows {
      let firstTile = row / tileRows * across
      for group in 0..<across {
        let start = (firstTile + group) * 2 * statisticBytes
        let at = row * across + group
        let index = row % tileRows
        matrix.scaleCodes[at] = Bits.read(input.planes[1], byte: start, index: index, width: statisticBits)
        matrix.zeroCodes[at] = Bits.read(
          input.planes[1], byte: start + statisticBytes, index: index, width: statisticBits)
      }
      for column in 0..<input.columns {
        let index = row % tileRows * tileColumns + column % tileColumns
        let start = (firstTile + column / tileColumns) * codeBytes
        matrix.codes[row * input.columns + column] = Bits.read(input.planes[0], byte: start, index: index, width: bits)
      }
    }
    for index in matrix.statistics.indices {
      matrix.statistics[index] =
        UInt16(littleEndian: input.planes[2].loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self))
    }
    return matrix
  }

  private func check(_ matrix: BilevelMatrix) throws(CodecError) {
    let blank = BilevelMatrix(rows: matrix.rows, columns: matrix.columns, codec: self)
    let statisticLimit = 1 << statisticBits
    let fits =
      matrix.codes.count == blank.codes.count && matrix.scaleCodes.count == blank.scaleCodes.count
      && matrix.zeroCodes.count == blank.zeroCodes.count && matrix.statistics.count == blank.statistics.count
      && matrix.codes.allSatisfy { $0 < 1 << bits }
      && (matrix.scaleCodes + matrix.zeroCodes).allSatisfy { $0 < statisticLimit }
    guard fits else {
      throw .shape(
        codec: "bilevel", shape: [matrix.rows, matrix.columns], reason: "codes or statistics don't fit the geometry")
    }
  }
}
