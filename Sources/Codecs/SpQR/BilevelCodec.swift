import ByteIO
import Tensors

/// Codes of 2 to 4 bits in small groups whose scales and zero points are themselves quantized, tile by tile: the
/// dense part of SpQR (specs/codecs/spqr.md; Dettmers et al. 2023, section 4). A tile is `tileRows` rows of one group
/// of `tileColumns` columns; each of its rows has a scale code and a zero code, and the tile has four F16 statistics.
///
///     scale = scale_s * (scale_code - zero_s)
///     zero  = scale_z * (zero_code - zero_z)
///     value = scale * (code - zero)
public struct BilevelCodec: QuantizingCodec, Hashable {
  /// Bits of a code: 2, 3 or 4.
  public let bits: Int
  /// Rows that share second-level statistics.
  public let tileRows: Int
  /// Columns that share a scale and a zero point: the group size.
  public let tileColumns: Int
  /// Bits of a scale code and of a zero code.
  public let statisticBits: Int
  /// How each operation of the formula is rounded.
  public let arithmetic: Arithmetic

  /// The precision every operation of the formula is rounded to.
  public enum Arithmetic: String, Sendable, CaseIterable {
    case f32 = "F32"
    /// Stepwise half precision, as the published SpQR kernels compute.
    case f16 = "F16"
  }

  /// Bounds that keep a tile's bytes far from overflow; the published geometry is 16 by 16.
  static let tileSides = 1...1024

  public init(
    bits: Int, tileRows: Int = 16, tileColumns: Int = 16, statisticBits: Int = 3, arithmetic: Arithmetic = .f32
  ) throws(CodecError) {
    guard (2...4).contains(bits), Self.tileSides.contains(tileRows), Self.tileSides.contains(tileColumns),
      (2...8).contains(statisticBits)
    else { throw .descriptor("bilevel", reason: "bits are 2 to 4, tile sides 1 to 1024, statistics 2 to 8 bits") }
    self.bits = bits
    self.tileRows = tileRows
    self.tileColumns = tileColumns
    self.statisticBits = statisticBits
    self.arithmetic = arithmetic
  }

  init(_ reader: inout DescriptorReader) throws(CodecError) {
    bits = try reader.integer("bits", default: 3, in: 2...4)
    tileRows = try reader.integer("rows", default: 16, in: Self.tileSides)
    tileColumns = try reader.integer("columns", default: 16, in: Self.tileSides)
    statisticBits = try reader.integer("stats", default: 3, in: 2...8)
    arithmetic = try reader.choice("arithmetic", default: .f32)
  }

  public var descriptor: CodecDescriptor {
    var descriptor = CodecDescriptor("bilevel")
    descriptor.parameters = parameters
    return descriptor
  }

  var parameters: [CodecDescriptor.Parameter] {
    CodecDescriptor(
      "",
      [
        "bits": "\(bits)", "rows": "\(tileRows)", "columns": "\(tileColumns)", "stats": "\(statisticBits)",
        "arithmetic": arithmetic.rawValue,
      ]
    ).parameters
  }

  public var planes: [Plane] { [Plane(.codes), Plane(.scales), Plane(.secondLevel)] }

  /// Spans are whole rows of tiles.
  public func alignment(columns: Int) -> Int { tileRows * max(columns, 1) }

  public func check(_ shape: Shape) throws(CodecError) {
    let side = Self.tileSides.upperBound
    guard let rows = shape.rows.adding(side), let columns = shape.columns.adding(side),
      let cells = rows.multiplied(by: columns), cells.multiplied(by: 64) != nil
    else {
      throw .shape(codec: "bilevel", shape: shape.dimensions, reason: "its bits overflow")
    }
  }

  /// Bytes of the codes of one tile.
  var codeBytes: Int { (tileRows * tileColumns * bits + 7) / 8 }
  /// Bytes of the scale codes of one tile; the zero codes that follow them take as many.
  var statisticBytes: Int { (tileRows * statisticBits + 7) / 8 }
  /// Bytes of the four F16 statistics of one tile.
  static let secondLevelBytes = 8

  /// Bytes that one tile takes in each plane.
  var tileBytes: [Int] { [codeBytes, 2 * statisticBytes, Self.secondLevelBytes] }

  /// Tiles side by side in a row of tiles.
  public func tilesAcross(columns: Int) -> Int { columns.dividedRoundingUp(by: tileColumns) }

  func tiles(elements: Int, columns: Int) -> Int {
    guard columns > 0 else { return 0 }
    let rows = elements.dividedRoundingUp(by: columns)
    return rows.dividedRoundingUp(by: tileRows) * tilesAcross(columns: columns)
  }

  public func bytes(plane: Int, elements: Int, columns: Int) -> Int {
    tiles(elements: elements, columns: columns) * tileBytes[plane]
  }

  /// Throws unless the span is made of whole rows, has its bytes, and `room` suffices.
  func check(_ input: EncodedSpan, room: Int) throws(CodecError) {
    try checkPlanes(input, room: room)
    guard input.columns == 0 ? input.elements == 0 : input.elements % input.columns == 0 else {
      throw .shape(
        codec: "\(descriptor)", shape: [input.elements, input.columns], reason: "a span is made of whole rows")
    }
    try checkStatistics(input.planes[2])
  }

  /// Statistics that are infinite or NaN would spread over 256 weights: refused.
  private func checkStatistics(_ plane: UnsafeRawBufferPointer) throws(CodecError) {
    for offset in stride(from: 0, to: plane.count - 1, by: 2) {
      let bits = plane.loadUnaligned(fromByteOffset: offset, as: UInt16.self).littleEndian
      if bits & 0x7C00 == 0x7C00 {
        throw .value(
          codec: "bilevel", plane: .secondLevel, offset: offset, reason: "a statistic is infinite or not a number")
      }
    }
  }
}
