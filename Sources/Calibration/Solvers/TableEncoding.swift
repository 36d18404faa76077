import CKernels
import Codecs

/// Codes of four bits that stand for the values of a table times a scale: MXFP4, NF4 and the FP4 of bitsandbytes.
public struct TableEncoding: GroupEncoding {
  private enum Kind: Sendable {
    case mx(MXCodec)
    case normal(NormalFloatCodec)
  }

  private let kind: Kind
  /// Codes by ascending value; the last is there twice if two codes have the same value.
  private let codes: [UInt8]
  private let values: [Float]

  /// Throws `SolverError.shape` for elements of more than four bits.
  public init(_ codec: MXCodec) throws(SolverError) {
    guard codec.element == .e2m1 else { throw .shape("of the MX formats only MXFP4 is solved for") }
    self.init(.mx(codec), codec.element.values)
  }

  /// Throws `SolverError.shape` for scales of two levels.
  public init(_ codec: NormalFloatCodec) throws(SolverError) {
    guard codec.second == nil else { throw .shape("scales of two levels aren't solved for") }
    self.init(.normal(codec), codec.table.values)
  }

  private init(_ kind: Kind, _ values: [Float]) {
    self.kind = kind
    var codes: [UInt8] = []
    for code in values.indices.sorted(by: { values[$0] < values[$1] || (values[$0] == values[$1] && $0 < $1) }) {
      if let last = codes.last, values[Int(last)] == values[code] { continue }
      codes.append(UInt8(code))
    }
    while codes.count < 16, let last = codes.last { codes.append(last) }
    self.codes = codes
    self.values = codes.map { values[Int($0)] }
  }

  public var codec: any Codec {
    switch kind {
    case .mx(let codec): codec
    case .normal(let codec): codec
    }
  }

  public func groupColumns(_ columns: Int) -> Int {
    switch kind {
    case .mx: MXCodec.block
    case .normal(let codec): codec.block
    }
  }

  public var grid: bale_grid {
    var grid = bale_grid()
    grid.kind = BALE_GRID_TABLE
    grid.highest = 15
    let middles = zip(values, values.dropFirst()).map { (low: Float, high: Float) in
      low == high ? Float.infinity : low / 2 + high / 2
    }
    withUnsafeMutableBytes(of: &grid.table) { Self.copy(values, to: $0) }
    withUnsafeMutableBytes(of: &grid.thresholds) { Self.copy(middles, to: $0) }
    return grid
  }

  private static func copy(_ values: [Float], to target: UnsafeMutableRawBufferPointer) {
    for (index, value) in values.enumerated() {
      target.storeBytes(of: value, toByteOffset: index * MemoryLayout<Float>.stride, as: Float.self)
    }
  }

  public func check(rows: Int, columns: Int) throws(SolverError) {
    guard case .normal(let codec) = kind, columns % codec.block != 0 else { return }
    throw .shape("rows of \(columns) columns aren't made of whole blocks of \(codec.block)")
  }

  public func fit(_ tile: TileValues) -> GroupFit {
    let (low, high) = tile.extremes(0)
    let largest = max(-low, high)
    guard largest > 0 else { return GroupFit(scales: [smallestScale], zeros: [0]) }
    var search = GridSearch(grid, tile)
    for scale in candidates(largest) { search.attempt(scale: scale, zero: 0) }
    return GroupFit(scales: [search.best.scale], zeros: [0])
  }

  private var smallestScale: Float {
    switch kind {
    case .mx: 0x1p-127
    case .normal: 0
    }
  }

  private func candidates(_ largest: Float) -> [Float] {
    switch kind {
    case .mx(let codec):
      let floor = Int(largest.exponent) - codec.element.largestExponent
      return (floor - 1...floor + 1).map {
        Float(sign: .plus, exponent: min(max($0, -127), 127), significand: 1)
      }
    case .normal:
      return (0...20).map { largest * (0.7 + 0.02 * Float($0)) }
    }
  }

  public func planes(_ solved: SolvedMatrix) throws(CodecError) -> [[UInt8]] {
    let codes = solved.codes.map { self.codes[Int($0 & 15)] }
    switch kind {
    case .mx(let codec): return try codec.pack(codes: codes, scales: solved.scales, columns: solved.columns)
    case .normal(let codec): return try codec.pack(codes: codes, scales: solved.scales, columns: solved.columns)
    }
  }
}
