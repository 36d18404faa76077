import Codecs
import Tensors

/// MLX's affine quantization, 2 to 8 bits, and the same with the key `qbiases` of the metal kernels of transformers:
/// `weight` U32 is a little-endian bit stream of codes per row, `scales` and `biases` have one value a group, and
/// w = q * scale + bias.
struct MLX: Layout {
  let name = "MLX affine"

  func tensors(in stored: StoredTensors) throws -> [LogicalTensor] {
    try stored.ending(".scales").compactMap { module, scales in
      for key in ["biases", "qbiases"] {
        guard let biases = stored["\(module).\(key)"], let weight = stored["\(module).weight"], weight.dtype == .u32
        else { continue }
        return try tensor(module, weight: weight, scales: scales, biases: biases, stored)
      }
      return nil
    }
  }

  private func tensor(
    _ module: String, weight: StoredTensor, scales: StoredTensor, biases: StoredTensor, _ stored: StoredTensors
  ) throws(LayoutError) -> LogicalTensor {
    let logical = weight.name
    let scaleType = try stored.scalarType(scales, of: logical)
    let biasType = try stored.scalarType(biases, of: logical)
    try stored.check(biases, scales.shape, of: logical)
    guard let words = weight.shape.last, let groups = scales.shape.last, groups > 0,
      weight.shape.dropLast() == scales.shape.dropLast()
    else { throw stored.fault(.shape(stored: scales.name, found: scales.shape, expected: "\(weight.shape)"), logical) }
    let (bits, group) = try width(module, words: words, groups: groups, stored)
    let columns = groups * group
    let shape = try stored.shape(Array(weight.shape.dropLast()) + [columns], of: logical)
    let codec = try stored.naming(logical) { () throws(CodecError) in
      try IntegerCodec(bits: bits, grouping: .elements(group), scale: .float(scaleType), zero: .bias(biasType))
    }
    return LogicalTensor(
      name: logical, shape: shape, codec: codec, layout: "\(name) \(bits)-bit",
      planes: [.stored(weight, .same), .stored(scales, .same), .stored(biases, .same)])
  }

  /// Bits and group size: the configuration's for the module, checked against the shapes; without one, the only pair
  /// of those that exist which fits, the larger group at a tie.
  private func width(
    _ module: String, words: Int, groups: Int, _ stored: StoredTensors
  ) throws(LayoutError) -> (bits: Int, group: Int) {
    let configuration = stored.configuration.mlx ?? stored.configuration.quantization
    let own = configuration?[module] ?? configuration
    if let bits = own?["bits"]?.int ?? configuration?["bits"]?.int,
      let group = own?["group_size"]?.int ?? configuration?["group_size"]?.int
    {
      guard [2, 3, 4, 5, 6, 8].contains(bits), group > 0, groups.multipliedExactly(group, bits) == words * 32 else {
        throw stored.fault(
          .disagreement("\(bits) bits in groups of \(group), but \(words) words and \(groups) groups a row"),
          "\(module).weight")
      }
      return (bits, group)
    }
    for group in [64, 32, 128] where words * 32 % (groups * group) == 0 {
      let bits = words * 32 / (groups * group)
      if [2, 3, 4, 5, 6, 8].contains(bits) { return (bits, group) }
    }
    throw stored.fault(.disagreement("\(words) words and \(groups) groups a row fit no width"), "\(module).weight")
  }
}
