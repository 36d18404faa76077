import Codecs

/// The encodings that solvers can write.
public enum SolvableEncodings {
  /// What a solver needs to know of a codec. Throws `SolverError.shape` for one that isn't solved for.
  public static func encoding(_ codec: any Codec) throws(SolverError) -> any GroupEncoding {
    switch codec {
    case let codec as IntegerCodec: return try IntegerEncoding(codec)
    case let codec as MXCodec: return try TableEncoding(codec)
    case let codec as NormalFloatCodec: return try TableEncoding(codec)
    case let codec as TernaryCodec: return try TernaryEncoding(codec)
    case let codec as BilevelCodec: return BilevelEncoding(codec)
    case let codec as SpQRCodec: return BilevelEncoding(codec)
    default: throw .shape("\(codec.descriptor) isn't solved for")
    }
  }
}

extension SolvedMatrix {
  /// Some of its rows, from a multiple of the rows that are fitted together, as a matrix of its own. Its errors stay
  /// those of the whole.
  public func slice(_ range: Range<Int>, groupRows: Int) -> SolvedMatrix {
    var part = self
    part.rows = range.count
    part.codes = Array(codes[range.lowerBound * columns..<range.upperBound * columns])
    part.scales = Array(scales[range.lowerBound * groups..<range.upperBound * groups])
    part.zeros = Array(zeros[range.lowerBound * groups..<range.upperBound * groups])
    part.decoded = Array(decoded[range.lowerBound * columns..<range.upperBound * columns])
    if !tiles.isEmpty {
      let first = range.lowerBound / groupRows
      let last = (range.upperBound + groupRows - 1) / groupRows
      part.tiles = Array(tiles[first * groups..<last * groups])
    }
    let elements = range.lowerBound * columns..<range.upperBound * columns
    part.outliers = outliers.filter { elements.contains($0.position) }
      .map { Outlier(position: $0.position - elements.lowerBound, bits: $0.bits) }
    return part
  }
}
