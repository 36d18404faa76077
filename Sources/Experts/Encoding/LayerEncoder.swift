import Codecs
import Pipeline

/// Encodes one matrix of all experts of a layer: centroids in `trellis`, and what each expert adds to its decoded
/// centroid in `trellis` too, the loop closed.
public struct LayerEncoder: Sendable {
  /// The step of every matrix, relative to its own scale: smaller is more bits and less error. Matrices that are
  /// encoded with one quality share their relative error.
  public var quality: Float
  /// Added to the diagonal of a Hessian, as a share of its mean.
  public var damping = 0.1
  /// How far an expert's use may move its step: counts are clamped to this range around their mean.
  public var useRange = 1.0 / 16...16.0
  public var quantizer = TrellisQuantizer()
  /// Experts encoded at a time. The result doesn't depend on it.
  public var threads = 1

  public init(quality: Float) { self.quality = quality }

  /// What is to be encoded.
  public struct Input: Sendable {
    public var layer: Int
    public var matrix: ExpertMatrix
    public var rows: Int
    public var columns: Int
    /// One an expert, rows x columns, finite.
    public var weights: [[Float]]
    /// One an expert, or none at all.
    public var hessians: [ExpertHessian]
    /// Clusters of experts; who is alone is stored plain.
    public var clusters: [[Int]]

    public init(
      layer: Int, matrix: ExpertMatrix, rows: Int, columns: Int, weights: [[Float]],
      hessians: [ExpertHessian] = [], clusters: [[Int]]
    ) {
      self.layer = layer
      self.matrix = matrix
      self.rows = rows
      self.columns = columns
      self.weights = weights
      self.hessians = hessians
      self.clusters = clusters
    }
  }

  /// Throws `ExpertError` for Hessians of a wrong size or that aren't positive definite.
  public func encode(_ input: Input) throws -> EncodedLayerMatrix {
    let scales = try StepScales(input, damping: damping, useRange: useRange)
    var centroids: [EncodedMatrix] = []
    var references = [[Float]?](repeating: nil, count: input.weights.count)
    var centroidOf = [Int?](repeating: nil, count: input.weights.count)
    for cluster in input.clusters where cluster.count > 1 {
      let (centroid, decoded) = try encodeCentroid(input, cluster, scales)
      for expert in cluster {
        centroidOf[expert] = centroids.count
        references[expert] = decoded
      }
      centroids.append(centroid)
    }
    return EncodedLayerMatrix(
      layer: input.layer, matrix: input.matrix, centroids: centroids,
      experts: try encodeExperts(input, references, scales), centroidOf: centroidOf)
  }

  private func encodeExperts(
    _ input: Input, _ references: [[Float]?], _ scales: StepScales
  ) throws -> [EncodedMatrix] {
    let done = Monitor<[EncodedMatrix]>([])
    try OrderedPipeline.run(
      count: input.weights.count, threads: threads, window: threads,
      produce: { try encodeExpert(input, $0, references[$0], scales) },
      consume: { _, matrix in done.withLock { $0.append(matrix) } })
    return done.withLock { $0 }
  }

  private func encodeCentroid(
    _ input: Input, _ cluster: [Int], _ scales: StepScales
  ) throws -> (EncodedMatrix, [Float]) {
    let mean = Self.mean(cluster.map { input.weights[$0] })
    let factor = try scales.factor(of: cluster)
    let relative = max(scales.centroidStep(cluster, mean: mean), quality / 8)
    let quantized = quantizer.quantize(
      mean, rows: input.rows, columns: input.columns, step: scales.scale * relative, factor: factor)
    let encoded = EncodedMatrix(
      TrellisCodec().descriptor, quantized.codes, original: mean, decoded: quantized.values)
    return (encoded, quantized.values)
  }

  private func encodeExpert(
    _ input: Input, _ expert: Int, _ reference: [Float]?, _ scales: StepScales
  ) throws -> EncodedMatrix {
    let original = input.weights[expert]
    let target = reference.map { zip(original, $0).map { $0 - $1 } } ?? original
    let quantized = quantizer.quantize(
      target, rows: input.rows, columns: input.columns, step: quality * scales.scale * scales.use[expert],
      factor: try scales.factor(of: [expert]))
    let decoded = reference.map { zip($0, quantized.values).map { $0 + $1 } } ?? quantized.values
    let codec: any Codec = reference == nil ? TrellisCodec() : try ResidualCodec(TrellisCodec())
    return EncodedMatrix(codec.descriptor, quantized.codes, original: original, decoded: decoded)
  }

  /// The mean of matrices, summed in F64 in their order.
  static func mean(_ matrices: [[Float]]) -> [Float] {
    var sums = [Double](repeating: 0, count: matrices.first?.count ?? 0)
    for matrix in matrices { for (index, value) in matrix.enumerated() { sums[index] += Double(value) } }
    return sums.map { Float($0 / Double(max(matrices.count, 1))) }
  }
}

/// What steps are measured in: the root mean square of the weights or, with Hessians, of the outputs.
struct StepScales: Sendable {
  /// Of the layer's matrix as a whole.
  private(set) var scale: Float
  /// Of each expert relative to it: experts that see more inputs get smaller steps.
  let use: [Float]
  private let input: LayerEncoder.Input
  private let damping: Double

  init(_ input: LayerEncoder.Input, damping: Double, useRange: ClosedRange<Double>) throws {
    self.input = input
    self.damping = damping
    for (expert, hessian) in input.hessians.enumerated() where hessian.values.count != input.columns * input.columns {
      throw ExpertError.hessianSize(
        layer: input.layer, expert: expert, matrix: input.matrix, expected: input.columns,
        found: hessian.values.count)
    }
    let calibrated = !input.hessians.isEmpty
    guard !calibrated || input.hessians.count == input.weights.count else {
      throw ExpertError.hessianSize(
        layer: input.layer, expert: input.hessians.count, matrix: input.matrix, expected: input.columns, found: 0)
    }
    let count = Double(max(1, input.weights.count * input.rows * (calibrated ? 1 : input.columns)))
    scale = 1
    let mean = Double(input.hessians.reduce(0) { $0 + $1.count }) / Double(max(1, input.hessians.count))
    use = input.weights.indices.map { expert in
      guard calibrated, mean > 0 else { return 1 }
      let share = Double(input.hessians[expert].count) / mean
      return Float((1 / min(max(share, useRange.lowerBound), useRange.upperBound)).squareRoot())
    }
    let total = input.weights.indices.reduce(0.0) { $0 + power(input.weights[$1], $1) }
    if total > 0 { scale = Float((total / count).squareRoot()) }
  }

  /// Squared error of `trellis` in squares of its step, at rates where few codes are zero (measured on a Gaussian).
  private static let errorOfStep = 0.24

  /// The step of a centroid, in units of `scale`, at which its bits and those that its error costs the residuals are
  /// fewest together: an error of r / (n - 1), r being the share of the members' power beside their mean
  /// (`SavingFormula.centroid`).
  func centroidStep(_ cluster: [Int], mean: [Float]) -> Float {
    var total = 0.0
    var beside = 0.0
    for expert in cluster {
      total += power(input.weights[expert], expert)
      beside += power(zip(input.weights[expert], mean).map { $0 - $1 }, expert)
    }
    guard total > 0, cluster.count > 1 else { return 0 }
    let steps = Self.errorOfStep * Double(input.hessians.isEmpty ? 1 : input.columns)
    return Float((beside / total / Double(cluster.count - 1) / steps).squareRoot())
  }

  private func power(_ weights: [Float], _ expert: Int) -> Double {
    input.hessians.isEmpty
      ? weights.reduce(0.0) { $0 + Double($1) * Double($1) }
      : Self.outputPower(weights, input.hessians[expert].values, columns: input.columns)
  }

  /// Factor of the mean Hessian of experts, weighted by their counts; nil without Hessians, or where they are zero.
  func factor(of experts: [Int]) throws -> HessianFactor? {
    guard !input.hessians.isEmpty else { return nil }
    var sums = [Double](repeating: 0, count: input.columns * input.columns)
    let total = experts.reduce(0.0) { $0 + Double(input.hessians[$1].count) }
    guard total > 0 else { return nil }
    for expert in experts {
      let weight = Double(input.hessians[expert].count) / total
      for (index, value) in input.hessians[expert].values.enumerated() { sums[index] += weight * Double(value) }
    }
    guard sums.contains(where: { $0 != 0 }) else { return nil }
    return try HessianFactor(sums.map { Float($0) }, size: input.columns, damping: damping)
  }

  /// Sum over rows w of w H w^T.
  private static func outputPower(_ weights: [Float], _ hessian: [Float], columns: Int) -> Double {
    guard columns > 0 else { return 0 }
    var total = 0.0
    var product = [Float](repeating: 0, count: columns)
    for start in stride(from: 0, to: weights.count, by: columns) {
      for index in 0..<columns { product[index] = 0 }
      for index in 0..<columns {
        let weight = weights[start + index]
        guard weight != 0 else { continue }
        for column in 0..<columns { product[column] += weight * hessian[index * columns + column] }
      }
      for index in 0..<columns { total += Double(product[index] * weights[start + index]) }
    }
    return total
  }
}
