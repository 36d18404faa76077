import Codecs

/// Measures what the experts of a layer share. Memory: one strip of every expert and an N x N matrix.
public struct ExpertMeter: Sendable {
  /// Bytes of weights held at a time.
  public var stripBytes = 64 << 20
  /// How far from the rate-distortion bound the centroid's encoding is, in bits a weight.
  public var centroidOverhead = 0.12

  public init() {}

  /// Products of all pairs of experts, one matrix at a time.
  /// - Parameter order: hidden neurons of each expert in the order to compare them in; nil: as stored.
  /// Throws `ExpertError.notFinite`, and what the source throws.
  public func gram(
    _ source: some ExpertSource, layer: Int, matrix: ExpertMatrix, order: [[Int]]? = nil
  ) throws -> GramMatrix {
    let count = source.expertCount(layer: layer)
    let columns = source.columns(layer: layer, matrix: matrix)
    let rows = source.rows(layer: layer, matrix: matrix)
    var gram = GramMatrix(count: count)
    let height = min(max(1, stripBytes / max(1, 4 * columns * count)), max(rows, 1))
    var strip = [Float](repeating: 0, count: height * columns * count)
    for start in stride(from: 0, to: rows, by: height) {
      let range = start..<min(start + height, rows)
      let width = range.count * columns
      try strip.withUnsafeMutableBufferPointer { strip in
        for expert in 0..<count {
          let part = UnsafeMutableBufferPointer(rebasing: strip[expert * width..<(expert + 1) * width])
          try read(source, layer, expert, matrix, rows: range, order: order?[expert], into: part)
        }
        gram.add(UnsafeBufferPointer(rebasing: strip[..<(width * count)]), width: width)
      }
    }
    return gram
  }

  private func read(
    _ source: some ExpertSource, _ layer: Int, _ expert: Int, _ matrix: ExpertMatrix, rows: Range<Int>,
    order: [Int]?, into part: UnsafeMutableBufferPointer<Float>
  ) throws {
    let columns = source.columns(layer: layer, matrix: matrix)
    if let order, matrix.neuronsAreRows {
      for (index, row) in rows.enumerated() {
        let line = UnsafeMutableBufferPointer(rebasing: part[index * columns..<(index + 1) * columns])
        try source.read(
          layer: layer, expert: expert, matrix: matrix, rows: order[row]..<order[row] + 1, into: line)
      }
    } else {
      try source.read(layer: layer, expert: expert, matrix: matrix, rows: rows, into: part)
    }
    guard part.allSatisfy(\.isFinite) else {
      throw ExpertError.notFinite(layer: layer, expert: expert, matrix: matrix)
    }
    if let order, !matrix.neuronsAreRows {
      for row in 0..<rows.count {
        let line = Array(part[row * columns..<(row + 1) * columns])
        for (column, neuron) in order.enumerated() { part[row * columns + column] = line[neuron] }
      }
    }
  }

  /// Measures a layer: all three matrices as stored and, if `align` is true, with the hidden neurons aligned.
  public func measure(_ source: some ExpertSource, layer: Int, align: Bool) throws -> LayerSimilarity {
    let plain = try ExpertMatrix.allCases.map { try gram(source, layer: layer, matrix: $0) }
    var order: [[Int]]?
    if align { order = try NeuronAlignment().align(source, layer: layer) }
    let moved = order.flatMap { $0.contains { $0 != Array($0.indices) } ? $0 : nil }
    let aligned = try moved.map { order in
      try ExpertMatrix.allCases.map { try gram(source, layer: layer, matrix: $0, order: order) }
    }
    let matrices = ExpertMatrix.allCases.indices.map { index in
      MatrixSimilarity(
        matrix: ExpertMatrix.allCases[index], before: plain[index], after: aligned?[index] ?? plain[index],
        samples: source.hiddenNeurons(layer: layer) * source.width(layer: layer), overhead: centroidOverhead)
    }
    return LayerSimilarity(layer: layer, matrices: matrices, order: order)
  }
}

/// What the experts of a layer share in one matrix.
public struct MatrixSimilarity: Sendable {
  public let matrix: ExpertMatrix
  /// Products of the experts as stored, and with neurons aligned.
  public let before: GramMatrix
  public let after: GramMatrix
  /// -log2 det R / 2N, as stored and aligned, in bits a weight.
  public let idealBefore: Double
  public let idealAfter: Double
  /// The best partition into clusters, and what it saves.
  public let clusters: ExpertClusters
  /// Weights of one expert.
  public let samples: Int

  init(matrix: ExpertMatrix, before: GramMatrix, after: GramMatrix, samples: Int, overhead: Double) {
    self.matrix = matrix
    self.before = before
    self.after = after
    self.samples = samples
    idealBefore = SavingFormula.ideal(before, samples: samples)
    idealAfter = SavingFormula.ideal(after, samples: samples)
    clusters = ExpertClusters(choosingBy: after, overhead: overhead)
  }
}

/// What the experts of a layer share.
public struct LayerSimilarity: Sendable {
  public let layer: Int
  public let matrices: [MatrixSimilarity]
  /// The aligned order of each expert's hidden neurons; nil if not aligned.
  public let order: [[Int]]?
}
