import Codecs

/// Quantizes a matrix into `trellis`, column by column, the error of each fed back into those after it where a Hessian
/// is known (GPTQ). Columns get steps in proportion to the diagonal of the factor, so that each adds the same error to
/// the output: with entropy coding that is reverse water-filling.
public struct TrellisQuantizer: Sendable {
  /// Price of a bit in squares of the step.
  public var lambda: Float = 0.14
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
    var models: [TrellisCosts]?
    var powers = [Double](repeating: 0, count: columns)
    for index in values.indices { powers[index % columns] += Double(values[index]) * Double(values[index]) }
    for _ in 0..<passes {
      codes.classOffset = classOffset(powers, steps, rows: rows)
      powers = [Double](repeating: 0, count: columns)
      for first in stride(from: 0, to: rows, by: steps.unitRows) {
        var strip = Strip(values, rows: first..<min(first + steps.unitRows, rows), columns: columns)
        search(&strip, &codes, steps, models, factor)
        strip.addPowers(to: &powers)
      }
      models = TrellisEncoder.models(codes).map { TrellisCosts($0) }
    }
    return QuantizedMatrix(codes: codes)
  }

  /// The rows of a unit, column after column. Rows don't depend on one another but in the frequencies of their codes, so
  /// that one strip at a time is in memory.
  private struct Strip {
    let rows: Range<Int>
    let columns: Int
    /// What each column is when its turn comes, the errors of those before it made up for.
    var target: [Float]

    init(_ values: [Float], rows: Range<Int>, columns: Int) {
      self.rows = rows
      self.columns = columns
      let height = rows.count
      target = [Float](unsafeUninitializedCapacity: height * columns) { out, count in
        values.withUnsafeBufferPointer { values in
          for row in 0..<height {
            let line = (rows.lowerBound + row) * columns
            for column in 0..<columns { out[column * height + row] = values[line + column] }
          }
        }
        count = height * columns
      }
    }

    /// Adds the squares of each column.
    func addPowers(to powers: inout [Double]) {
      for (index, value) in target.enumerated() { powers[index / rows.count] += Double(value) * Double(value) }
    }
  }

  /// One pass over the columns of a strip.
  private func search(
    _ strip: inout Strip, _ codes: inout TrellisCodes, _ steps: ColumnSteps, _ models: [TrellisCosts]?,
    _ factor: HessianFactor?
  ) {
    let height = strip.rows.count
    var search = TrellisSearch(rows: height, lambda: lambda)
    let start = TrellisCosts()
    var scaled = [Float](repeating: 0, count: height)
    for column in 0..<strip.columns {
      let reciprocal = 1 / steps.step(column)
      for row in 0..<height { scaled[row] = strip.target[column * height + row] * reciprocal }
      let kind = steps.columnClass(column, offset: codes.classOffset)
      let place = column * codes.rows + strip.rows.lowerBound
      scaled.withUnsafeBufferPointer { scaled in
        codes.codes.withUnsafeMutableBufferPointer { all in
          search.quantize(
            scaled, even: models?[2 * kind] ?? start, odd: models?[2 * kind + 1] ?? start,
            into: UnsafeMutableBufferPointer(rebasing: all[place..<place + height]))
        }
      }
      if let factor { feedBack(&strip, codes, column: column, factor) }
    }
  }

  /// target[k] -= error * U[j, k] / U[j, j] for every later column k.
  private func feedBack(_ strip: inout Strip, _ codes: TrellisCodes, column: Int, _ factor: HessianFactor) {
    let height = strip.rows.count
    let size = factor.size
    let diagonal = factor.upper[column * size + column]
    var error: [Float] = []
    error.reserveCapacity(height)
    codes.eachValue(column: column, rows: strip.rows) {
      error.append((strip.target[column * height + error.count] - $0) / diagonal)
    }
    strip.target.withUnsafeMutableBufferPointer { target in
      factor.upper.withUnsafeBufferPointer { upper in
        error.withUnsafeBufferPointer { error in
          for later in column + 1..<max(size, column + 1) {
            let weight = upper[column * size + later]
            let line = UnsafeMutableBufferPointer(rebasing: target[later * height..<(later + 1) * height])
            for row in 0..<height { line[row] -= error[row] * weight }
          }
        }
      }
    }
  }

  /// The class of exponent 0 such that on average a class c holds columns of deviation 2^((c - 5) / 2) steps.
  private func classOffset(_ powers: [Double], _ steps: ColumnSteps, rows: Int) -> Int8 {
    var total = 0.0
    var used = 0
    for (column, power) in powers.enumerated() where power > 0 && rows > 0 {
      let step = Double(steps.step(column))
      total += BinaryLogarithm.of(power / Double(rows) / (step * step)) + 5 + Double(steps.exponents[column])
      used += 1
    }
    return used == 0 ? 0 : Int8(max(-100, min(100, (total / Double(used)).rounded())))
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

/// A matrix in `trellis`.
public struct QuantizedMatrix: Sendable {
  public let codes: TrellisCodes

  /// Decoded values, rows x columns.
  public var values: [Float] {
    var values = [Float](repeating: 0, count: codes.rows * codes.columns)
    values.withUnsafeMutableBufferPointer { values in
      for column in 0..<codes.columns {
        var index = column
        codes.eachValue(column: column) {
          values[index] = $0
          index += codes.columns
        }
      }
    }
    return values
  }
}
