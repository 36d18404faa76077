import BaleFormat
import ByteIO
import Calibration
import Checkpoints
import Codecs
import Pipeline
import Tensors

/// Makes a matrix by a solver: reads it whole, with the statistics of its inputs, and writes what the solver chose.
struct MatrixProducer: PartProducer {
  let encoding: any GroupEncoding
  let method: Solver.Method
  let options: CalibrationOptions
  let prepared: PreparedCache

  /// The values and what they decode to, codes, scales; and the statistics, damped, permuted and factored.
  func memory(for part: PackPlan.Part, of tensor: PackPlan.Tensor) -> Int {
    part.elements.count * 24 + tensor.shape.columns * tensor.shape.columns * 16
  }

  func produce(
    _ part: PackPlan.Part, of tensor: PackPlan.Tensor, from checkpoint: any Checkpoint, threads: Int
  ) throws -> ProducedPart {
    let name = Self.name(of: part, in: tensor)
    let values = try SpanReader(checkpoint, tensor: tensor.source).values(part.elements)
    let weights = values.withFloats { Array($0) }
    do {
      let prepared = try prepare(name, columns: tensor.shape.columns, threads: threads)
      let solved = try solve(weights, columns: tensor.shape.columns, prepared: prepared, threads: threads)
      var produced = try produced(solved, layout: part.layout)
      try values.withFloats {
        try produced.measure(against: $0, codec: tensor.codec, columns: solved.columns, layout: part.layout)
      }
      produced.outputError = OutputError(
        squaredError: solved.error.weighted,
        squaredNorm: try prepared.outputNorm(weights, rows: solved.rows, threads: threads))
      return produced
    } catch let error as SolverError {
      throw UnsolvedWeight(name: name, file: checkpoint.path, error: error)
    }
  }

  /// The name of a part in the statistics.
  static func name(of part: PackPlan.Part, in tensor: PackPlan.Tensor) -> String {
    guard case .expert(_, nil, _) = tensor.role else { return tensor.name }
    return WeightName.slice(part.slices.lowerBound, of: tensor.name)
  }

  private func solver(threads: Int) -> Solver {
    Solver(encoding, method: method, damping: options.damping, threads: threads)
  }

  private func prepare(_ name: String, columns: Int, threads: Int) throws -> PreparedHessian {
    try prepared.prepare(
      options.statistics.hessian(of: name), columns: columns, solver: solver(threads: threads))
  }

  private func solve(
    _ weights: [Float], columns: Int, prepared: PreparedHessian, threads: Int
  ) throws -> SolvedMatrix {
    var solver = solver(threads: threads)
    let rows = columns == 0 ? 0 : weights.count / columns
    guard let bilevel = encoding as? BilevelEncoding, bilevel.spqr != nil, method == .gptq else {
      return try solver.solve(weights, rows: rows, prepared: prepared)
    }
    if let bits = options.targetBits {
      return try TargetBits(bits: bits).solve(weights, rows: rows, prepared: prepared, with: solver).solved
    }
    solver.outliers = OutlierRule(
      threshold: options.threshold ?? OutlierRule.usualThreshold(bits: bilevel.bilevel.bits))
    return try solver.solve(weights, rows: rows, prepared: prepared)
  }

  /// The planes, cut in the spans of the layout.
  private func produced(_ solved: SolvedMatrix, layout: PartLayout) throws -> ProducedPart {
    let codec = encoding.codec
    guard codec.planes.contains(where: { $0.extent == .variable }) else {
      return ProducedPart(
        spans: Self.cut(try encoding.planes(solved), codec, columns: solved.columns, layout: layout))
    }
    // Spans of such an encoding are whole rows.
    let rows = layout.spanElements / max(solved.columns, 1)
    var wholePlanes: [[UInt8]] = codec.planes.map { _ in [] }
    let spans = try (0..<layout.spanCount).map { span in
      let range = span * rows..<min((span + 1) * rows, solved.rows)
      var planes = try encoding.planes(solved.slice(range, groupRows: encoding.groupRows))
      for (index, plane) in codec.planes.enumerated() where plane.extent == .whole {
        wholePlanes[index] = planes[index]
        planes[index] = []
      }
      return planes
    }
    return ProducedPart(spans: spans, wholePlanes: wholePlanes)
  }

  private static func cut(
    _ planes: [[UInt8]], _ codec: any Codec, columns: Int, layout: PartLayout
  ) -> [[[UInt8]]] {
    (0..<layout.spanCount).map { span in
      planes.indices.map { plane in
        let start = codec.bytes(plane: plane, elements: span * layout.spanElements, columns: columns)
        let count = codec.bytes(plane: plane, elements: layout.elements(inSpan: span), columns: columns)
        return Array(planes[plane][start..<start + count])
      }
    }
  }
}

/// What was prepared last: weights with the same inputs (query, key and value; gate and up) follow one another, and
/// their statistics are the same.
final class PreparedCache: Sendable {
  private struct Entry {
    var hessian: Hessian
    var descriptor: CodecDescriptor
    var prepared: PreparedHessian
  }

  private let last = Monitor(Entry?.none)

  func prepare(_ hessian: Hessian?, columns: Int, solver: Solver) throws -> PreparedHessian {
    guard let hessian else { return try solver.prepare(nil, columns: columns) }
    let descriptor = solver.encoding.codec.descriptor
    if let entry = last.withLock({ $0 }), entry.descriptor == descriptor, entry.hessian.hasMoments(of: hessian) {
      return entry.prepared
    }
    let prepared = try solver.prepare(hessian, columns: columns)
    last.withLock { $0 = Entry(hessian: hessian, descriptor: descriptor, prepared: prepared) }
    return prepared
  }
}

/// A weight that a solver refuses.
public struct UnsolvedWeight: BadFileError, Equatable {
  public var name: String
  public var file: String
  public var error: SolverError

  public var description: String { "\(file): tensor '\(name)': \(error)" }
}
