import Codecs

/// One matrix of all experts of a layer, ready to be encoded piece by piece: a centroid, an expert.
///
/// Steps count in the root mean square of the weights or, with Hessians, of what a weight adds to the outputs.
public struct PreparedLayerMatrix: Sendable {
  /// The clusters of more than one expert; each has a centroid.
  public let clusters: [[Int]]
  private let input: LayerEncoder.Input
  private let quantizer: TrellisQuantizer
  private let damping: Double
  /// Root mean square over the whole layer.
  private let scale: Float
  /// Of each expert: experts that see more inputs get smaller steps.
  private let use: [Float]
  /// Step of each centroid, in units of `scale`.
  private let centroidSteps: [Float]

  /// Squared error of `trellis` in squares of its step, at rates where few codes are zero (measured on a Gaussian).
  static let errorOfStep = 0.24

  init(
    _ input: LayerEncoder.Input, quantizer: TrellisQuantizer, damping: Double, useRange: ClosedRange<Double>
  ) throws {
    self.input = input
    self.quantizer = quantizer
    self.damping = damping
    clusters = input.clusters.filter { $0.count > 1 }
    use = try Self.use(input, range: useRange)
    var total = 0.0
    var steps: [Float] = []
    for cluster in input.clusters {
      let power = try ClusterPower(cluster, input)
      total += power.whole
      if cluster.count > 1 { steps.append(power.centroidStep) }
    }
    centroidSteps = steps
    let count = Double(max(1, input.experts * input.rows * input.columns))
    scale = total > 0 ? Float((total / count).squareRoot()) : 1
  }

  private static func use(_ input: LayerEncoder.Input, range: ClosedRange<Double>) throws -> [Float] {
    guard let hessian = input.hessian else { return [Float](repeating: 1, count: input.experts) }
    let counts = try (0..<input.experts).map { expert in
      let found = try hessian(expert)
      guard found.values.count == input.columns * input.columns else {
        throw ExpertError.hessianSize(
          layer: input.layer, expert: expert, matrix: input.matrix, expected: input.columns,
          found: found.values.count)
      }
      return Double(found.count)
    }
    let mean = counts.reduce(0, +) / Double(max(1, counts.count))
    return counts.map { count in
      guard mean > 0 else { return 1 }
      return Float((1 / min(max(count / mean, range.lowerBound), range.upperBound)).squareRoot())
    }
  }

  /// Some experts that stand for all of them: spread evenly over how much they are used, by which their steps differ.
  public func sample(of members: [Int], count: Int) -> [Int] {
    guard members.count > count else { return members }
    let sorted = members.sorted { (use[$0], $0) < (use[$1], $1) }
    let last = sorted.count - 1
    return (0..<count).map { index in
      let fromEnd = (2 * min(index, count - 1 - index) + 1) * last / (2 * count)
      return sorted[2 * index < count ? fromEnd : last - fromEnd]
    }
  }

  /// A cluster's centroid, the mean of its members, and what it decodes to.
  public func centroid(_ index: Int, quality: Float) throws -> (matrix: EncodedMatrix, decoded: [Float]) {
    let mean = try Self.mean(clusters[index], input)
    let relative = max(centroidSteps[index], quality / 8)
    let step = scale * relative
    let quantized = quantizer.quantize(
      mean, rows: input.rows, columns: input.columns, step: step,
      factor: try factor(of: clusters[index], target: mean, step: step))
    let encoded = EncodedMatrix(TrellisCodec().descriptor, quantized.codes, original: mean, reference: nil)
    return (encoded, quantized.values)
  }

  /// An expert, beside the decoded values of its centroid if it has one.
  public func expert(_ expert: Int, beside reference: [Float]?, quality: Float) throws -> EncodedMatrix {
    let codes = try codes(expert, beside: reference, step: quality * scale * use[expert])
    let codec: any Codec = reference == nil ? TrellisCodec() : try ResidualCodec(TrellisCodec())
    return EncodedMatrix(codec.descriptor, codes, original: try input.weights(expert), reference: reference)
  }

  private func codes(_ expert: Int, beside reference: [Float]?, step: Float) throws -> TrellisCodes {
    let target = try target(expert, beside: reference)
    let factor = try factor(of: [expert], target: target, step: step)
    return quantizer.quantize(target, rows: input.rows, columns: input.columns, step: step, factor: factor).codes
  }

  /// Bytes that encoding a matrix takes at most, its result included: targets and codes, or the weights read anew and
  /// codes, what reading takes, and a strip; with Hessians, theirs and their factor's in F64.
  public var memory: Int {
    let hessian = input.hessian == nil ? 0 : input.columns * input.columns * 32
    return input.rows * input.columns * Self.bytesAWeight + hessian + (16 << 20)
  }

  private static let bytesAWeight = 16

  /// An expert, or its difference from its reference.
  private func target(_ expert: Int, beside reference: [Float]?) throws -> [Float] {
    var target = try input.weights(expert)
    if let reference { for index in target.indices { target[index] -= reference[index] } }
    return target
  }

  static func mean(_ cluster: [Int], _ input: LayerEncoder.Input) throws -> [Float] {
    var mean = RunningMean()
    for expert in cluster { mean.add(try input.weights(expert)) }
    return mean.values
  }

  /// Factor of the mean Hessian of experts, weighted by their counts; nil without Hessians, or where they are zero.
  ///
  /// To its diagonal goes the share `damping` of its mean, and the error of a weight at this step over the power of the
  /// target's weights: in directions where the inputs are so weak that an error as large as the weights would cost less
  /// than their bits, errors are not moved (reverse water-filling).
  private func factor(of experts: [Int], target: [Float], step: Float) throws -> HessianFactor? {
    guard let hessian = input.hessian else { return nil }
    var sums = [Double](repeating: 0, count: input.columns * input.columns)
    var total = 0.0
    for expert in experts {
      let found = try hessian(expert)
      total += Double(found.count)
      for (index, value) in found.values.enumerated() { sums[index] += Double(found.count) * Double(value) }
    }
    guard total > 0, sums.contains(where: { $0 != 0 }) else { return nil }
    let power = target.reduce(0.0) { $0 + Double($1) * Double($1) } / Double(max(target.count, 1))
    let noise = power > 0 ? Self.errorOfStep * Double(step) * Double(step) / power : 0
    let mean = (0..<input.columns).reduce(0.0) { $0 + sums[$1 * (input.columns + 1)] } / total / Double(input.columns)
    return try HessianFactor(
      sums.map { Float($0 / total) }, size: input.columns, damping: damping + (mean > 0 ? min(noise / mean, 1) : 0))
  }
}

/// The squared norms of a cluster's members, of weights or of outputs: whole, and what lies beside their mean.
private struct ClusterPower {
  private(set) var whole = 0.0
  private var beside = 0.0
  private let count: Int

  init(_ cluster: [Int], _ input: LayerEncoder.Input) throws {
    count = cluster.count
    let mean = count > 1 ? try PreparedLayerMatrix.mean(cluster, input) : []
    for expert in cluster {
      let weights = try input.weights(expert)
      let hessian = try input.hessian?(expert).values
      whole += Self.power(weights, hessian, columns: input.columns)
      if count > 1 {
        beside += Self.power(zip(weights, mean).map { $0 - $1 }, hessian, columns: input.columns)
      }
    }
  }

  /// The step of the centroid, in units of the layer's scale, at which its bits and those that its error costs the
  /// residuals are fewest together: an error of r / (n - 1), r being the share of the members' power beside their mean
  /// (`SavingFormula.centroid`).
  var centroidStep: Float {
    guard whole > 0, count > 1 else { return 0 }
    return Float((beside / whole / Double(count - 1) / PreparedLayerMatrix.errorOfStep).squareRoot())
  }

  /// Sum over rows w of w w^T, or of w H w^T.
  private static func power(_ weights: [Float], _ hessian: [Float]?, columns: Int) -> Double {
    guard let hessian, columns > 0 else { return weights.reduce(0.0) { $0 + Double($1) * Double($1) } }
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
