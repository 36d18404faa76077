import Codecs

/// Quantizes a matrix into `trellis`, column by column, the error of each fed back into those after it where a Hessian
/// is known (GPTQ). Columns get steps in proportion to the diagonal of the factor, so that each adds the same error to
/// the output: with entropy coding that is reverse water-filling.
public struct TrellisQuantizer: Sendable {
  /// Price of a bit in squares of the step.
  public var lambda: Float = 0.15
  /// Searches: after each, the frequencies are fitted anew.
  public var passes = 3

  public init() {}

  /// - Parameters:
  ///   - values: rows x columns, row-major, finite.
  ///   - step: the step where the factor's diagonal is 1; the step of all columns without a factor.
  public func quantize(
    _ values: [Float], rows: Int, columns: Int, step: Float, factor: HessianFactor?
  ) -> QuantizedMatrix {
    let steps = ColumnSteps(step: step, factor: factor, columns: columns)
    var codes = TrellisCodes(rows: rows, columns: columns, step: steps.base, exponents: steps.exponents)
    let transposed = Self.transposed(values, rows: rows, columns: columns)
    var target = transposed
    var models: [TrellisCosts]?
    for _ in 0..<passes {
      codes.classOffset = classOffset(target, steps, rows: rows)
      target = transposed
      search(&target, &codes, steps, models, factor)
      models = TrellisEncoder.models(codes).map { TrellisCosts($0) }
    }
    return QuantizedMatrix(codes: codes)
  }

  /// One pass over the columns. `target` becomes what each column was when its turn came.
  private func search(
    _ target: inout [Float], _ codes: inout TrellisCodes, _ steps: ColumnSteps, _ models: [TrellisCosts]?,
    _ factor: HessianFactor?
  ) {
    let rows = codes.rows
    let unit = steps.unitRows
    var search = TrellisSearch(rows: min(unit, rows), lambda: lambda)
    let start = TrellisCosts()
    var scaled = [Float](repeating: 0, count: rows)
    for column in 0..<codes.columns {
      let reciprocal = 1 / steps.step(column)
      for row in 0..<rows { scaled[row] = target[column * rows + row] * reciprocal }
      let kind = steps.columnClass(column, offset: codes.classOffset)
      let even = models?[2 * kind] ?? start
      let odd = models?[2 * kind + 1] ?? start
      scaled.withUnsafeBufferPointer { scaled in
        codes.codes.withUnsafeMutableBufferPointer { all in
          for first in stride(from: 0, to: rows, by: unit) {
            let range = first..<min(first + unit, rows)
            let place = column * rows + range.lowerBound..<column * rows + range.upperBound
            search.quantize(
              UnsafeBufferPointer(rebasing: scaled[range]), even: even, odd: odd,
              into: UnsafeMutableBufferPointer(rebasing: all[place]))
          }
        }
      }
      if let factor { feedBack(&target, codes, column: column, factor) }
    }
  }

  /// target[k] -= error * U[j, k] / U[j, j] for every later column k.
  private func feedBack(_ target: inout [Float], _ codes: TrellisCodes, column: Int, _ factor: HessianFactor) {
    let rows = codes.rows
    let size = factor.size
    let decoded = codes.values(column: column)
    let diagonal = factor.upper[column * size + column]
    target.withUnsafeMutableBufferPointer { target in
      factor.upper.withUnsafeBufferPointer { upper in
        let error = (0..<rows).map { (target[column * rows + $0] - decoded[$0]) / diagonal }
        error.withUnsafeBufferPointer { error in
          for later in column + 1..<max(size, column + 1) {
            let weight = upper[column * size + later]
            let line = UnsafeMutableBufferPointer(rebasing: target[later * rows..<(later + 1) * rows])
            for row in 0..<rows { line[row] -= error[row] * weight }
          }
        }
      }
    }
  }

  /// The class of exponent 0 such that on average a class c holds columns of deviation 2^((c - 5) / 2) steps.
  private func classOffset(_ target: [Float], _ steps: ColumnSteps, rows: Int) -> Int8 {
    var total = 0.0
    var used = 0
    for column in steps.exponents.indices {
      let power = target[column * rows..<(column + 1) * rows].reduce(0.0) { $0 + Double($1) * Double($1) }
      guard power > 0, rows > 0 else { continue }
      let step = Double(steps.step(column))
      total += BinaryLogarithm.of(power / Double(rows) / (step * step)) + 5 + Double(steps.exponents[column])
      used += 1
    }
    return used == 0 ? 0 : Int8(max(-100, min(100, (total / Double(used)).rounded())))
  }

  private static func transposed(_ values: [Float], rows: Int, columns: Int) -> [Float] {
    var result = [Float](repeating: 0, count: values.count)
    for row in 0..<rows { for column in 0..<columns { result[column * rows + row] = values[row * columns + column] } }
    return result
  }
}

/// The steps of the columns: a base and half-octave exponents.
struct ColumnSteps {
  let base: Float
  let exponents: [UInt8]
  let unitRows: Int
  private let table: TrellisTable

  init(step: Float, factor: HessianFactor?, columns: Int) {
    let diagonal = (0..<columns).map { factor?.upper[$0 * columns + $0] ?? 1 }
    let least = diagonal.min() ?? 1
    // Steps that the table can hold, however small or large the weights.
    base = min(max(step * least, .leastNormalMagnitude), 0x1p100)
    exponents = diagonal.map { UInt8(min(15, (2 * BinaryLogarithm.of(Double($0 / least))).rounded())) }
    unitRows = TrellisCodec().alignment(columns: columns) / max(columns, 1)
    table = TrellisTable(step: base, classOffset: 0, models: [], exponents: exponents)
  }

  func step(_ column: Int) -> Float { table.columnStep(column) }

  func columnClass(_ column: Int, offset: Int8) -> Int {
    var own = table
    own.classOffset = offset
    return own.columnClass(column)
  }
}

/// A matrix in `trellis`, and what it decodes to.
public struct QuantizedMatrix: Sendable {
  public let codes: TrellisCodes
  /// Decoded values, rows x columns.
  public let values: [Float]

  init(codes: TrellisCodes) {
    self.codes = codes
    let byColumn = TrellisEncoder.values(codes)
    var values = [Float](repeating: 0, count: byColumn.count)
    for column in 0..<codes.columns {
      for row in 0..<codes.rows { values[row * codes.columns + column] = byColumn[column * codes.rows + row] }
    }
    self.values = values
  }
}
