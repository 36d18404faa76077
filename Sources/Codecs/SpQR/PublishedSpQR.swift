/// A linear weight as SpQR's inference library stores it (github.com/Vahe1994/SpQR 543d10e, inference_lib): 3-bit
/// codes in 16 x 16 tiles, one 64-bit word for each row of a tile, and outliers in CSR, or interleaved in panels of
/// 16 rows ("PTCSR"). Columns are in an order of their own.
///
/// A word has, from its lowest bit: the scale code, the zero code and 16 codes, 3 bits each; 8 bits of the tile's four
/// F16 statistics (scale_s, scale_z, zero_s, zero_z from the lowest bit; row k has byte k / 2); 2 bits of 0.
/// Its kernels compute in F16 and add outliers to the dense values.
public struct PublishedSpQR: Sendable, Equatable {
  public var rows: Int
  public var columns: Int
  /// One word for each row of each tile, tiles from left to right.
  public var denseWords: [UInt64]
  /// In CSR, `rows` + 1 numbers of entries before each row; interleaved, `rows` / 16 + 1, before each panel.
  public var rowOffsets: [Int32]
  /// The F16 value in the high half, the column in the low half. Interleaved, entry `i` of row `r` of a panel is at
  /// 16 * i + r, and rows shorter than the longest end in words of 0.
  public var columnValues: [UInt32]
  /// The tensor's column that each stored column holds, or empty.
  public var permutation: [UInt16]

  public init(
    rows: Int, columns: Int, denseWords: [UInt64], rowOffsets: [Int32], columnValues: [UInt32], permutation: [UInt16]
  ) {
    self.rows = rows
    self.columns = columns
    self.denseWords = denseWords
    self.rowOffsets = rowOffsets
    self.columnValues = columnValues
    self.permutation = permutation
  }

  /// How outliers lie in `columnValues`, by the names that the command knows.
  public enum Sparse: String, Sendable, CaseIterable {
    case csr = "spqr"
    case interleaved = "spqr-ptcsr"
  }

  static let side = 16
  static let codeBits = 3

  /// The codec that holds such weights exactly.
  public static func codec(permuted: Bool) throws(CodecError) -> SpQRCodec {
    try SpQRCodec(
      dense: BilevelCodec(bits: codeBits, arithmetic: .f16), outliers: .f16, combine: .addRaw,
      columnOrder: permuted ? .permuted : .tensor)
  }

  /// True for an encoding that the layout holds with the same values: an outlier is added, whatever it stands for.
  public static func holds(_ codec: SpQRCodec) -> Bool {
    let wanted = try? Self.codec(permuted: codec.columnOrder == .permuted)
    return codec.combine != .replace && codec.outliers == .f16 && codec.dense == wanted?.dense
  }

  static func refusal(_ reason: String) -> CodecError { .descriptor("SpQR's inference layout", reason: reason) }
}

// MARK: - Import

extension PublishedSpQR {
  /// The weight in the planes of `codec(permuted:)`. Throws `CodecError` where the arrays don't fit the shape, or
  /// hold what writing them again would not give back.
  public func span() throws(CodecError) -> SpQRMatrix {
    let side = Self.side
    guard rows >= 0, columns >= 0, rows % side == 0, columns % side == 0, columns <= 1 << 16,
      permutation.isEmpty || permutation.count == columns
    else { throw Self.refusal("\(rows) rows of \(columns) columns aren't made of whole tiles") }
    guard denseWords.count == rows / side * columns else {
      throw Self.refusal("\(denseWords.count) words for \(rows) rows of \(columns) columns")
    }
    let span = SpQRMatrix(
      dense: try unpackedWords(), outliers: try unpackedOutliers(), permutation: permutation.map(Int.init))
    let sparse: Sparse = rowOffsets.count == rows + 1 ? .csr : .interleaved
    guard try PublishedSpQR(span, sparse: sparse) == self else {
      throw Self.refusal("its words have other bits set than the library writes")
    }
    return span
  }

  private func unpackedWords() throws(CodecError) -> BilevelMatrix {
    let codec = try Self.codec(permuted: false).dense
    let side = Self.side
    var matrix = BilevelMatrix(rows: rows, columns: columns, codec: codec)
    let across = columns / side
    for (index, word) in denseWords.enumerated() {
      let tile = index / side
      let row = tile / max(across, 1) * side + index % side
      let group = tile % max(across, 1)
      matrix.scaleCodes[row * across + group] = UInt8(word & 7)
      matrix.zeroCodes[row * across + group] = UInt8(word >> 3 & 7)
      for column in 0..<side {
        matrix.codes[row * columns + group * side + column] = UInt8(word >> UInt64(6 + 3 * column) & 7)
      }
      let byte = index % side / 2
      // The record's order is scale_s, scale_z, zero_s, zero_z by what multiplies and what is subtracted of each.
      matrix.statistics[4 * tile + Self.statisticSlots[byte / 2]] |= UInt16(word >> 54 & 0xFF) << UInt16(byte % 2 * 8)
    }
    return matrix
  }

  /// Where the four halves of a record go among scale_s, zero_s, scale_z, zero_z.
  static let statisticSlots = [0, 2, 1, 3]

  private func unpackedOutliers() throws(CodecError) -> [Outlier] {
    let interleaved = rowOffsets.count != rows + 1
    let step = interleaved ? Self.side : 1
    let panels = interleaved ? rows / Self.side : rows
    guard rowOffsets.count == panels + 1, rowOffsets.first == 0, Int(rowOffsets.last ?? 0) == columnValues.count,
      zip(rowOffsets, rowOffsets.dropFirst()).allSatisfy({ $0 <= $1 && Int($1 - $0) % step == 0 })
    else { throw Self.refusal("row offsets that don't rise from 0 to \(columnValues.count)") }
    var outliers: [Outlier] = []
    for panel in 0..<panels {
      let entries = Int(rowOffsets[panel])..<Int(rowOffsets[panel + 1])
      for lane in 0..<step {
        for index in stride(from: entries.lowerBound + lane, to: entries.upperBound, by: step) {
          let word = columnValues[index]
          if interleaved, word == 0 { break }
          let column = Int(word & 0xFFFF)
          guard column < columns else { throw Self.refusal("an outlier in column \(column) of \(columns)") }
          outliers.append(
            Outlier(position: (panel * step + lane) * columns + column, bits: UInt16(word >> 16)))
        }
      }
    }
    return outliers
  }
}

// MARK: - Export

extension PublishedSpQR {
  /// A weight of `codec(permuted:)` in this layout, exactly. Throws `CodecError` for what it can't hold: sides that
  /// aren't multiples of 16, statistics that aren't 3 bits, columns past 32767 with outliers (the library's own
  /// converter corrupts them) and, interleaved, an outlier of value 0 in column 0, which reads as padding.
  public init(_ span: SpQRMatrix, sparse: Sparse) throws(CodecError) {
    let matrix = span.dense
    let side = Self.side
    guard matrix.rows % side == 0, matrix.columns % side == 0 else {
      throw Self.refusal("\(matrix.rows) rows of \(matrix.columns) columns aren't made of whole tiles")
    }
    guard matrix.columns <= 1 << 15 || span.outliers.isEmpty, matrix.columns <= 1 << 16 else {
      throw Self.refusal("outliers of \(matrix.columns) columns: the library's converter corrupts columns past 32767")
    }
    // Packing checks codes and sizes.
    _ = try Self.codec(permuted: !span.permutation.isEmpty).pack(span)
    let (offsets, values) = try Self.packedOutliers(span, sparse)
    self.init(
      rows: matrix.rows, columns: matrix.columns, denseWords: Self.packedWords(matrix), rowOffsets: offsets,
      columnValues: values, permutation: span.permutation.map { UInt16(truncatingIfNeeded: $0) })
  }

  private static func packedWords(_ matrix: BilevelMatrix) -> [UInt64] {
    let across = matrix.columns / side
    return (0..<matrix.rows * across).map { index in
      let (tile, line) = (index / side, index % side)
      let (row, group) = (tile / across * side + line, tile % across)
      var word = UInt64(matrix.scaleCodes[row * across + group]) | UInt64(matrix.zeroCodes[row * across + group]) << 3
      for column in 0..<side {
        word |= UInt64(matrix.codes[row * matrix.columns + group * side + column]) << UInt64(6 + 3 * column)
      }
      let half = matrix.statistics[4 * tile + statisticSlots[line / 4]]
      return word | UInt64(half >> UInt16(line / 2 % 2 * 8) & 0xFF) << 54
    }
  }

  private static func packedOutliers(
    _ span: SpQRMatrix, _ sparse: Sparse
  ) throws(CodecError) -> (offsets: [Int32], values: [UInt32]) {
    let columns = max(span.dense.columns, 1)
    var lanes = [[UInt32]](repeating: [], count: span.dense.rows)
    for outlier in span.outliers {
      let word = UInt32(outlier.bits) << 16 | UInt32(outlier.position % columns)
      guard sparse == .csr || word != 0 else {
        throw refusal("an outlier of value 0 in column 0 can't be told from the padding of interleaved rows")
      }
      lanes[outlier.position / columns].append(word)
    }
    guard sparse == .interleaved else {
      let offsets = lanes.reduce(into: [Int32(0)]) { $0.append(($0.last ?? 0) + Int32($1.count)) }
      return (offsets, lanes.flatMap { $0 })
    }
    var offsets: [Int32] = [0]
    var values: [UInt32] = []
    for top in stride(from: 0, to: lanes.count, by: side) {
      let panel = lanes[top..<top + side]
      for entry in 0..<(panel.map(\.count).max() ?? 0) {
        values += panel.map { entry < $0.count ? $0[entry] : 0 }
      }
      offsets.append(Int32(values.count))
    }
    return (offsets, values)
  }
}
