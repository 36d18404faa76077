import ByteIO
import Experts
import Safetensors
import Tensors
import TestSupport

/// Experts in memory.
struct MemoryExperts: ExpertSource {
  var hidden: Int
  var wide: Int
  /// By expert, then matrix.
  var weights: [[ExpertMatrix: [Float]]]

  var layerCount: Int { 1 }
  func expertCount(layer: Int) -> Int { weights.count }
  func hiddenNeurons(layer: Int) -> Int { hidden }
  func width(layer: Int) -> Int { wide }

  func read(
    layer: Int, expert: Int, matrix: ExpertMatrix, rows: Range<Int>,
    into output: UnsafeMutableBufferPointer<Float>
  ) throws {
    let columns = columns(layer: layer, matrix: matrix)
    let values = weights[expert][matrix] ?? []
    for (index, value) in values[rows.lowerBound * columns..<rows.upperBound * columns].enumerated() {
      output[index] = value
    }
  }

  /// Experts of variance 1 whose pairs have a correlation: sqrt(c) times what all share and sqrt(1 - c) times their own.
  static func family(count: Int, correlation: Double, hidden: Int, width: Int, seed: UInt64) -> MemoryExperts {
    var random = SplitMix64(seed: seed)
    let shared = (0..<3 * hidden * width).map { _ in random.normal() }
    let own = (1 - correlation).squareRoot()
    let weights = (0..<count).map { _ in
      let values = shared.map { Float($0 * correlation.squareRoot() + own * random.normal()) }
      return cut(values, size: hidden * width)
    }
    return MemoryExperts(hidden: hidden, wide: width, weights: weights)
  }

  static func cut(_ values: [Float], size: Int) -> [ExpertMatrix: [Float]] {
    Dictionary(
      uniqueKeysWithValues: ExpertMatrix.allCases.enumerated().map {
        ($0.element, Array(values[$0.offset * size..<($0.offset + 1) * size]))
      })
  }

  /// The same experts with neurons in another order each: place i takes neuron orders[e][i].
  func shuffled(by orders: [[Int]]) -> MemoryExperts {
    var copy = self
    for expert in weights.indices {
      for (matrix, values) in weights[expert] {
        copy.weights[expert][matrix] = NeuronOrder.permuted(
          values, matrix: matrix, rows: rows(layer: 0, matrix: matrix), columns: columns(layer: 0, matrix: matrix),
          by: orders[expert])
      }
    }
    return copy
  }

  /// A layer of a Mixtral checkpoint.
  static func mixtral(_ directory: String, layer: Int, experts: Int) throws -> MemoryExperts {
    let files = try Path.entries(of: directory).filter { $0.hasSuffix(".safetensors") }
      .map { try SafetensorsFile(Path.join(directory, $0)) }
    var hidden = 0
    var width = 0
    let weights = try (0..<experts).map { expert in
      var matrices: [ExpertMatrix: [Float]] = [:]
      for (matrix, name) in [(ExpertMatrix.gate, "w1"), (.down, "w2"), (.up, "w3")] {
        let full = "model.layers.\(layer).block_sparse_moe.experts.\(expert).\(name).weight"
        for file in files {
          guard let tensor = file.header.tensors.first(where: { $0.name == full }) else { continue }
          if matrix == .gate { (hidden, width) = (tensor.shape.rows, tensor.shape.columns) }
          let bytes = try file.bytes(of: tensor)
          matrices[matrix] = stride(from: 0, to: bytes.count, by: 2).map {
            Float(bitPattern: UInt32(bytes[$0]) << 16 | UInt32(bytes[$0 + 1]) << 24)
          }
        }
      }
      return matrices
    }
    return MemoryExperts(hidden: hidden, wide: width, weights: weights)
  }
}
