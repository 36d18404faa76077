import CKernels
import Codecs

/// The values -s, 0 and s with a scale s for each group of a row.
public struct TernaryEncoding: GroupEncoding {
  public let ternary: TernaryCodec
  /// Integers of two bits, of which three codes are used.
  private let integers: IntegerEncoding

  /// Throws `SolverError.shape` for a group that integers can't have.
  public init(_ codec: TernaryCodec) throws(SolverError) {
    ternary = codec
    do {
      let integer = try IntegerCodec(bits: 2, grouping: .elements(codec.group), scale: .float(codec.scale))
      integers = try IntegerEncoding(integer, ternary: true)
    } catch {
      throw .shape("\(error)")
    }
  }

  public var codec: any Codec { ternary }
  public var grid: bale_grid { integers.grid }

  public func groupColumns(_ columns: Int) -> Int { ternary.group }

  public func check(rows: Int, columns: Int) throws(SolverError) {
    guard columns % ternary.group == 0 else {
      throw .shape("rows of \(columns) columns aren't made of whole groups of \(ternary.group)")
    }
  }

  /// The scale is made positive: its sign is the codes' own.
  public func fit(_ values: TileValues) -> GroupFit {
    let fit = integers.fit(values)
    return GroupFit(scales: fit.scales.map { abs($0) }, zeros: fit.zeros)
  }

  public func planes(_ solved: SolvedMatrix) throws(CodecError) -> [[UInt8]] {
    try ternary.pack(codes: solved.codes, scales: solved.scales, columns: solved.columns)
  }
}
