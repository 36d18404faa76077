import ByteIO
import Checkpoints
import Codecs
import Conversion
import Safetensors
import Tensors
import TestSupport

/// Small checkpoints of one layer of experts whose pairs have a correlation.
struct ExpertSample {
  var count = 4
  var hidden = 96
  var width = 64
  var correlation = 0.95
  /// Hidden neurons of each expert in an order of its own.
  var isShuffled = false
  /// All experts in one tensor a matrix.
  var isStacked = false
  /// Stacks in which gate stands above up.
  var isFused = false
  /// Experts whose numbers are equal modulo this share something; others don't.
  var families = 1
  /// More tensors, by name and shape.
  var others: [(name: String, shape: [Int])] = []
  /// Every expert the same.
  var isRepeated = false
  var seed: UInt64 = 1

  @discardableResult func write(_ path: String) throws -> String {
    var random = SplitMix64(seed: seed)
    let size = hidden * width
    let shared = (0..<families).map { _ in (0..<3 * size).map { _ in random.normal() * 0.02 } }
    let own = (1 - correlation).squareRoot() * 0.02
    let experts = (0..<count).map { expert in
      shared[expert % families].map {
        isRepeated ? Float($0) : Float($0 * correlation.squareRoot() + own * random.normal())
      }
    }
    var shuffle = SplitMix64(seed: seed + 99)
    var matrices: [[[Float]]] = []
    for expert in experts {
      let order = isShuffled ? Array(0..<hidden).shuffled(using: &shuffle) : Array(0..<hidden)
      let gate = order.flatMap { expert[$0 * width..<($0 + 1) * width] }
      let up = order.flatMap { expert[size + $0 * width..<size + ($0 + 1) * width] }
      let down = (0..<width).flatMap { row in order.map { expert[2 * size + row * hidden + $0] } }
      matrices.append([gate, up, down])
    }
    try SafetensorsWriter.write(try tensors(matrices), to: path)
    return path
  }

  private func tensors(_ matrices: [[[Float]]]) throws -> [SafetensorsWriter.Tensor] {
    let prefix = "model.layers.0.block_sparse_moe"
    var tensors = [try tensor("\(prefix).gate.weight", [count, width], (0..<count * width).map { Float($0 % 7) })]
    for other in others {
      let values = (0..<other.shape.reduce(1, *)).map { Float($0 % 13) / 50 - 0.1 }
      tensors.append(try tensor(other.name, other.shape, values))
    }
    if isFused {
      let stacks = "model.layers.0.mlp.experts"
      tensors.append(
        try tensor("\(stacks).gate_up_proj", [count, 2 * hidden, width], matrices.flatMap { $0[0] + $0[1] }))
      tensors.append(try tensor("\(stacks).down_proj", [count, width, hidden], matrices.flatMap { $0[2] }))
      return tensors
    }
    let shapes = [[hidden, width], [hidden, width], [width, hidden]]
    for (index, name) in [("w1"), ("w3"), ("w2")].enumerated() {
      if isStacked {
        let stack = ["gate_proj", "up_proj", "down_proj"][index]
        let values = matrices.flatMap { $0[index] }
        tensors.append(try tensor("model.layers.0.mlp.experts.\(stack)", [count] + shapes[index], values))
      } else {
        for (expert, matrix) in matrices.enumerated() {
          tensors.append(try tensor("\(prefix).experts.\(expert).\(name).weight", shapes[index], matrix[index]))
        }
      }
    }
    return tensors
  }

  private func tensor(_ name: String, _ dimensions: [Int], _ values: [Float]) throws -> SafetensorsWriter.Tensor {
    var bytes = [UInt8](repeating: 0, count: values.count * 2)
    try values.withUnsafeBufferPointer { values in
      try bytes.withUnsafeMutableBytes { try Elements.encode(values, .bf16, into: $0) }
    }
    return SafetensorsWriter.Tensor(SafetensorsTensorSpec(name, .bf16, Shape(dimensions) ?? .scalar), bytes)
  }
}

extension Jobs {
  /// `pack --dedupe-experts`.
  static func packSharing(
    _ source: String, to path: String, recipe: String = "mxfp4-experts", request: SharingRequest = SharingRequest(),
    threads: Int = 2
  ) throws -> (sharing: ExpertSharing, report: PackReport) {
    let checkpoint = try Checkpoints.open(source)
    let recipe = try Recipe(named: recipe)
    let resources = Resources(threads: threads, memory: 64 << 20)
    let sharing = try SharingAnalysis(checkpoint, recipe: recipe, request: request, resources: resources).run { _ in }
    var options = PackOptions()
    options.note("experts", sharing.metadata)
    let report = try PackJob(
      checkpoint, plan: PackPlan(checkpoint, recipe: recipe, sharing: sharing), options: options
    ).run(to: path, resources: resources) { _ in }
    return (sharing, report)
  }
}
