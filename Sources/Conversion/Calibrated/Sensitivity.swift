import Calibration
import Checkpoints
import Codecs

/// How much the outputs of a weight suffer where single weights are rounded: for each weight its squared rounding
/// error, over the squared diagonal of the factor of the inverse Hessian (Dettmers et al. 2023, equation 2; figure 2
/// shows it). Rounded to nearest in tiles of 16 by 16 with 3 bits, as SpQR's authors do.
public struct WeightSensitivity: Sendable {
  public var name: String
  public var rows: Int
  public var columns: Int
  /// Sum over all weights.
  public var total: Double
  /// The share of the total that the hundredth of the weights with the most has.
  public var topShare: Double
  /// Sum over each row.
  public var byRow: [Double]
  /// Sum over each column.
  public var byColumn: [Double]
  /// The weights with the most, in falling order.
  public var top: [Place]
  /// Largest value in each cell of a grid over the matrix, row-major.
  public var map: [Float]
  public var mapRows: Int
  public var mapColumns: Int

  /// One weight.
  public struct Place: Sendable, Equatable {
    public var row: Int
    public var column: Int
    public var value: Float
  }

  /// Cells of a map along a side, at most.
  private static let mapSide = 128
  /// Weights that are listed.
  private static let listed = 32

  /// Of a matrix, row-major, by its values.
  init(name: String, values: [Float], columns: Int) {
    self.name = name
    self.columns = columns
    rows = columns == 0 ? 0 : values.count / columns
    total = values.reduce(0.0) { $0 + Double($1) }
    byRow = [Double](repeating: 0, count: rows)
    byColumn = [Double](repeating: 0, count: columns)
    mapRows = min(rows, Self.mapSide)
    mapColumns = min(columns, Self.mapSide)
    map = [Float](repeating: 0, count: mapRows * mapColumns)
    for (index, value) in values.enumerated() {
      let (row, column) = index.quotientAndRemainder(dividingBy: columns)
      byRow[row] += Double(value)
      byColumn[column] += Double(value)
      let cell = row * mapRows / rows * mapColumns + column * mapColumns / columns
      map[cell] = max(map[cell], value)
    }
    let order = values.indices.sorted { values[$0] == values[$1] ? $0 < $1 : values[$0] > values[$1] }
    let hundredth = order.prefix(max(values.count / 100, 1)).reduce(0.0) { $0 + Double(values[$1]) }
    topShare = total == 0 ? 0 : hundredth / total
    top = order.prefix(Self.listed).map { Place(row: $0 / columns, column: $0 % columns, value: values[$0]) }
  }
}

/// Measures the sensitivity of the weights that a recipe quantizes, matrix after matrix.
public struct SensitivityMeter: Sendable {
  private let checkpoint: any Checkpoint
  private let statistics: any CalibrationSource
  private let matrices: [(tensor: Int, elements: Range<Int>, name: String)]

  /// Of the matrices that have statistics.
  public init(_ checkpoint: any Checkpoint, report: CalibrationReport, statistics: any CalibrationSource) {
    self.checkpoint = checkpoint
    self.statistics = statistics
    let wanted = Set(report.total.covered + report.total.pooled)
    matrices = checkpoint.tensors.enumerated().flatMap { index, tensor in
      let names = WeightName.matrices(of: tensor)
      let size = tensor.shape.elements / max(names.count, 1)
      return names.enumerated().filter { wanted.contains($1.name) }
        .map { (index, $0 * size..<($0 + 1) * size, $1.name) }
    }
  }

  /// Throws `SolverError` wrapped in `UnsolvedWeight`, and the errors of reading.
  public func run(progress: ProgressHandler) throws -> [WeightSensitivity] {
    let total = matrices.reduce(0) { $0 + $1.elements.count }
    var done = 0
    return try matrices.map { matrix in
      let reader = SpanReader(checkpoint, tensor: matrix.tensor)
      let weights = try reader.values(matrix.elements).withFloats { Array($0) }
      done += matrix.elements.count
      progress(Progress(bytesDone: done, bytesTotal: total))
      do {
        return try measure(weights, name: matrix.name, columns: reader.columns)
      } catch let error as SolverError {
        throw UnsolvedWeight(name: matrix.name, file: checkpoint.path, error: error)
      }
    }
  }

  private func measure(_ weights: [Float], name: String, columns: Int) throws -> WeightSensitivity {
    let solver = Solver(BilevelEncoding(try BilevelCodec(bits: 3)), method: .nearest, damping: 0.01, sweeps: 0)
    let values = try solver.sensitivity(
      weights, columns: columns, hessian: try statistics.hessian(of: name))
    return WeightSensitivity(name: name, values: values, columns: columns)
  }
}
