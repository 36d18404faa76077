import CKernels
import Codecs

/// SpQR's tiles, with or without outliers.
public struct BilevelEncoding: GroupEncoding {
  public let bilevel: BilevelCodec
  /// How outliers are stored; nil for an encoding without them.
  public let spqr: SpQRCodec?
  public let rule: ScaleRule

  public init(_ codec: BilevelCodec, rule: ScaleRule = .search) {
    bilevel = codec
    spqr = nil
    self.rule = rule
  }

  public init(_ codec: SpQRCodec, rule: ScaleRule = .search) {
    bilevel = codec.dense
    spqr = codec
    self.rule = rule
  }

  public var codec: any Codec { spqr ?? bilevel }
  public var storesOrder: Bool { spqr?.columnOrder == .permuted }
  public var groupRows: Int { bilevel.tileRows }
  public var grid: bale_grid { bilevel.grid }

  public func groupColumns(_ columns: Int) -> Int { bilevel.tileColumns }

  public func check(rows: Int, columns: Int) throws(SolverError) {
    guard rule == .range || rule == .search else { throw .shape("\(codec.descriptor) has no rule '\(rule.rawValue)'") }
    if spqr?.combine == .addRaw {
      throw .shape("outliers are chosen to replace weights or to be added; 'addRaw' is for files of SpQR's converter")
    }
  }

  public func fit(_ values: TileValues) -> GroupFit {
    let tile = rule == .range ? bilevel.rangeFit(values) : bilevel.searchFit(values)
    let rows = (0..<values.rows).map { tile.row($0, bilevel.arithmetic) }
    return GroupFit(scales: rows.map(\.scale), zeros: rows.map(\.zero), tile: tile)
  }

  public func planes(_ solved: SolvedMatrix) throws(CodecError) -> [[UInt8]] {
    var matrix = BilevelMatrix(rows: solved.rows, columns: solved.columns, codec: bilevel)
    matrix.codes = solved.codes
    for (index, tile) in solved.tiles.enumerated() {
      let top = index / solved.groups * bilevel.tileRows
      matrix.set(tile, top: top, left: index % solved.groups * bilevel.tileColumns, codec: bilevel)
    }
    if let spqr {
      return try spqr.pack(SpQRMatrix(dense: matrix, outliers: solved.outliers, permutation: solved.permutation))
    }
    return try bilevel.pack(matrix)
  }
}
