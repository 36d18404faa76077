import CKernels
import Codecs

/// What a solver needs to know of an encoding: which weights share parameters, how these are fitted, what codes stand
/// for, and how all of it is stored.
public protocol GroupEncoding: Sendable {
  var codec: any Codec { get }

  /// Columns of a row of this length that share a scale.
  func groupColumns(_ columns: Int) -> Int

  /// Rows whose parameters are fitted together.
  var groupRows: Int { get }

  /// True if columns are stored in the order in which they are rounded.
  var storesOrder: Bool { get }

  /// What a code stands for under a scale and a zero.
  var grid: bale_grid { get }

  /// Throws `SolverError.shape` if weights of this shape can't be solved.
  func check(rows: Int, columns: Int) throws(SolverError)

  /// The parameters of a group of up to `groupRows` rows that minimise the weighted squared error.
  func fit(_ values: TileValues) -> GroupFit

  /// The planes of a solved matrix: exactly its codes, parameters and outliers.
  func planes(_ solved: SolvedMatrix) throws(CodecError) -> [[UInt8]]
}

extension GroupEncoding {
  public var groupRows: Int { 1 }
  public var storesOrder: Bool { false }
}

/// The parameters of one group.
public struct GroupFit: Sendable {
  /// Scale of each row, as it will be decoded.
  public var scales: [Float]
  /// Zero of each row, as it will be decoded.
  public var zeros: [Float]
  /// Second-level statistics, of encodings that have them.
  public var tile: BilevelTile?

  public init(scales: [Float], zeros: [Float], tile: BilevelTile? = nil) {
    self.scales = scales
    self.zeros = zeros
    self.tile = tile
  }
}

/// Rows of a weight as a solver chose them.
public struct SolvedMatrix: Sendable {
  public var rows: Int
  public var columns: Int
  /// Columns of a group.
  public var groupColumns: Int
  /// The tensor's column that each stored column holds; empty where columns are stored in the tensor's order. Codes,
  /// groups and outliers count stored columns.
  public var permutation: [Int] = []
  /// Codes, row-major; negative ones in two's complement.
  public var codes: [UInt8]
  /// Scales, a row of groups for each row.
  public var scales: [Float]
  /// Zeros, in the order of the scales.
  public var zeros: [Float]
  /// Second-level statistics, a row of groups for each `groupRows` rows; empty where the encoding has none.
  public var tiles: [BilevelTile]
  /// Weights kept apart, ascending.
  public var outliers: [Outlier]
  /// What the codes and outliers decode to, row-major, in the tensor's order of columns.
  public var decoded: [Float]
  public var error: SolvedError

  /// Groups of a row.
  public var groups: Int { columns == 0 ? 0 : (columns + groupColumns - 1) / groupColumns }
}

/// How far solved weights are from the original ones.
public struct SolvedError: Sendable, Equatable {
  /// Sum of squared differences, and of squared weights.
  public var plain = 0.0
  public var plainNorm = 0.0
  /// Sum of squared differences of the outputs, for inputs with the Hessian's second moments: the trace of E H E^T.
  /// `PreparedHessian.outputNorm` is what it is relative to.
  public var weighted = 0.0

  /// Relative squared error of the weights.
  public var relative: Double { plainNorm == 0 ? 0 : plain / plainNorm }

  static func += (total: inout SolvedError, part: SolvedError) {
    total.plain += part.plain
    total.plainNorm += part.plainNorm
    total.weighted += part.weighted
  }
}
