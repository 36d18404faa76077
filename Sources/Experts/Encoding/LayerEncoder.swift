import Codecs
import Pipeline

/// Encodes one matrix of all experts of a layer: centroids in `trellis`, and what each expert adds to its decoded
/// centroid in `trellis` too, the loop closed.
public struct LayerEncoder: Sendable {
  /// The step of every matrix, relative to its own scale: smaller is more bits and less error. Matrices that are
  /// encoded with one quality share their relative error.
  public var quality: Float
  /// Added to the diagonal of a Hessian, as a share of its mean, beside what the step asks for.
  public var damping = 0.1
  /// How far an expert's use may move its step: counts are clamped to this range around their mean.
  public var useRange = 1.0 / 16...16.0
  public var quantizer = TrellisQuantizer()
  /// Experts encoded at a time. The result doesn't depend on it.
  public var threads = 1

  public init(quality: Float) { self.quality = quality }

  /// What is to be encoded. Nothing of it is in memory before it is asked for.
  public struct Input: Sendable {
    public var layer: Int
    public var matrix: ExpertMatrix
    public var rows: Int
    public var columns: Int
    public var experts: Int
    /// An expert's weights, rows x columns, finite. Called more than once for each, from any thread.
    public var weights: @Sendable (Int) throws -> [Float]
    /// What calibration knows of an expert; nil for all experts of a layer that wasn't calibrated.
    public var hessian: (@Sendable (Int) throws -> ExpertHessian)?
    /// Clusters of experts; who is alone is stored plain.
    public var clusters: [[Int]]

    public init(
      layer: Int, matrix: ExpertMatrix, rows: Int, columns: Int, experts: Int, clusters: [[Int]],
      hessian: (@Sendable (Int) throws -> ExpertHessian)? = nil, weights: @escaping @Sendable (Int) throws -> [Float]
    ) {
      self.layer = layer
      self.matrix = matrix
      self.rows = rows
      self.columns = columns
      self.experts = experts
      self.weights = weights
      self.hessian = hessian
      self.clusters = clusters
    }
  }

  /// Encodes all experts of a layer, all of them in memory at the end.
  /// Throws `ExpertError` for Hessians of a wrong size or that aren't positive definite.
  public func encode(_ input: Input) throws -> EncodedLayerMatrix {
    let prepared = try prepare(input)
    var centroids: [EncodedMatrix] = []
    var references = [[Float]?](repeating: nil, count: input.experts)
    var centroidOf = [Int?](repeating: nil, count: input.experts)
    for (index, cluster) in prepared.clusters.enumerated() {
      let (centroid, decoded) = try prepared.centroid(index, quality: quality)
      for expert in cluster {
        centroidOf[expert] = index
        references[expert] = decoded
      }
      centroids.append(centroid)
    }
    let done = Monitor<[EncodedMatrix]>([])
    try OrderedPipeline.run(
      count: input.experts, threads: threads, window: threads,
      produce: { [references] in try prepared.expert($0, beside: references[$0], quality: quality) },
      consume: { _, matrix in done.withLock { $0.append(matrix) } })
    return EncodedLayerMatrix(
      layer: input.layer, matrix: input.matrix, centroids: centroids, experts: done.withLock { $0 },
      centroidOf: centroidOf)
  }

  /// Measures what the steps count in. Reads each expert once, twice with calibration.
  /// Throws `ExpertError.hessianSize`, and what reading throws.
  public func prepare(_ input: Input) throws -> PreparedLayerMatrix {
    try PreparedLayerMatrix(input, quantizer: quantizer, damping: damping, useRange: useRange)
  }

  /// The mean of matrices, summed in F64 in their order.
  static func mean(_ matrices: [[Float]]) -> [Float] {
    var mean = RunningMean()
    for matrix in matrices { mean.add(matrix) }
    return mean.values
  }
}

/// A mean of matrices that come one by one, summed in F64.
struct RunningMean {
  private var sums: [Double] = []
  private var count = 0

  mutating func add(_ matrix: [Float]) {
    if sums.isEmpty { sums = [Double](repeating: 0, count: matrix.count) }
    sums.withUnsafeMutableBufferPointer { sums in
      matrix.withUnsafeBufferPointer { for index in sums.indices { sums[index] += Double($0[index]) } }
    }
    count += 1
  }

  var values: [Float] { sums.map { Float($0 / Double(max(count, 1))) } }
}
