import Calibration
import Codecs
import TestSupport

/// A weight and the second moments of inputs that are correlated and of very different sizes, as activations are.
struct Problem {
  let rows: Int
  let columns: Int
  let weights: [Float]
  let hessian: Hessian

  init(rows: Int, columns: Int, seed: UInt64, tokens: Int? = nil) {
    var random = SplitMix64(seed: seed)
    self.rows = rows
    self.columns = columns
    weights = (0..<rows * columns).map { _ in Float(random.normal() * 0.02) }
    let count = tokens ?? 3 * columns
    let sizes = (0..<columns).map { _ in Float(random.normal()) * 0.7 + 1 }
    var inputs = [Float](repeating: 0, count: count * columns)
    for token in 0..<count {
      let shared = Float(random.normal())
      for column in 0..<columns {
        inputs[token * columns + column] = (Float(random.normal()) + shared) * sizes[column]
      }
    }
    var moments = [Float](repeating: 0, count: columns * columns)
    for a in 0..<columns {
      for b in 0...a {
        var sum = 0.0
        for token in 0..<count { sum += Double(inputs[token * columns + a] * inputs[token * columns + b]) }
        moments[a * columns + b] = Float(sum / Double(count))
        moments[b * columns + a] = moments[a * columns + b]
      }
    }
    hessian = Hessian(columns: columns, moments: .full(moments), tokens: count)
  }

  func solve(_ solver: Solver, hessian given: Hessian?? = nil) throws -> SolvedMatrix {
    let prepared = try solver.prepare(given ?? hessian, columns: columns)
    return try solver.solve(weights, rows: rows, prepared: prepared)
  }

  /// Squared error of the outputs, relative to their squared norm.
  func outputError(_ solved: SolvedMatrix) throws -> Double {
    let prepared = try Solver(BilevelEncoding(try BilevelCodec(bits: 3))).prepare(hessian, columns: columns)
    return solved.error.weighted / (try prepared.outputNorm(weights, rows: rows, threads: 2))
  }
}

/// What a codec decodes from planes.
func decoded(_ codec: any Codec, _ planes: [[UInt8]], rows: Int, columns: Int) throws -> [Float] {
  let bytes = planes.flatMap { $0 }
  return try bytes.withUnsafeBytes { all in
    var offset = 0
    let views = planes.map { plane in
      defer { offset += plane.count }
      return UnsafeRawBufferPointer(rebasing: all[offset..<offset + plane.count])
    }
    var output = [Float](repeating: .nan, count: rows * columns)
    try output.withUnsafeMutableBufferPointer {
      try codec.decode(EncodedSpan(planes: views, elements: rows * columns, columns: columns), into: $0)
    }
    return output
  }
}

/// Every kind of encoding that is solved for.
func allEncodings() throws -> [any GroupEncoding] {
  [
    BilevelEncoding(try BilevelCodec(bits: 2)), BilevelEncoding(try BilevelCodec(bits: 3, arithmetic: .f16)),
    BilevelEncoding(try BilevelCodec(bits: 4, tileRows: 8, tileColumns: 32, statisticBits: 4), rule: .range),
    BilevelEncoding(try SpQRCodec(dense: BilevelCodec(bits: 3), outliers: .bf16)),
    BilevelEncoding(try SpQRCodec(dense: BilevelCodec(bits: 4), columnOrder: .permuted)),
    BilevelEncoding(
      try SpQRCodec(dense: BilevelCodec(bits: 3, arithmetic: .f16), combine: .addCompensated, columnOrder: .permuted)),
    try IntegerEncoding(IntegerCodec(bits: 4, grouping: .elements(32))),
    try IntegerEncoding(IntegerCodec(bits: 3, grouping: .elements(64), scale: .float(.bf16), zero: .code)),
    try IntegerEncoding(IntegerCodec(bits: 2, grouping: .elements(16), scale: .float(.f32), zero: .bias(.f16))),
    try IntegerEncoding(IntegerCodec(bits: 8, grouping: .row, scale: .float(.f32))),
    try IntegerEncoding(IntegerCodec(bits: 2, grouping: .elements(32)), ternary: true),
    try TableEncoding(MXCodec(.e2m1)), try TableEncoding(NormalFloatCodec(.nf4, block: 32)),
    try TableEncoding(NormalFloatCodec(.fp4, block: 64)),
  ]
}
