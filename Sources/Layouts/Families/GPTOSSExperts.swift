import Codecs
import Tensors

/// The experts of gpt-oss in MXFP4: `X_blocks` [E, rows, columns / 32, 16] with `X_scales` [E, rows, columns / 32], as
/// Hugging Face names them, or `X.blocks` and `X.scales`, as OpenAI does. A row is an output: what transformers makes
/// of them is transposed.
struct GPTOSSExperts: Layout {
  var name: String { Layouts.gptOSS }

  private static let namings = [(blocks: "_blocks", scales: "_scales"), (blocks: ".blocks", scales: ".scales")]

  func tensors(in stored: StoredTensors) throws -> [LogicalTensor] {
    var found: [LogicalTensor] = []
    for naming in Self.namings {
      for (prefix, blocks) in stored.ending(naming.blocks) where blocks.shape.last == MXCodec.block / 2 {
        let scales = try stored.required(prefix + naming.scales, of: prefix)
        found.append(try tensor(prefix, blocks, scales, stored))
      }
      for (prefix, scales) in stored.ending(naming.scales) where Self.isExperts(prefix, scales) {
        _ = try stored.required(prefix + naming.blocks, of: prefix)
      }
    }
    return found
  }

  /// True for scales whose blocks must exist, by the names that gpt-oss has.
  private static func isExperts(_ prefix: String, _ scales: StoredTensor) -> Bool {
    scales.dtype == .u8 && scales.shape.count == 3
      && ["gate_up_proj", "down_proj", "mlp1_weight", "mlp2_weight"].contains { prefix.hasSuffix($0) }
  }

  private func tensor(
    _ name: String, _ blocks: StoredTensor, _ scales: StoredTensor, _ stored: StoredTensors
  ) throws(LayoutError) -> LogicalTensor {
    try stored.check(blocks, [.u8], of: name)
    try stored.check(scales, [.u8, .f8e8m0], of: name)
    guard blocks.shape.count >= 3 else {
      throw stored.fault(.shape(stored: blocks.name, found: blocks.shape, expected: "[..., blocks, 16]"), name)
    }
    let grid = Array(blocks.shape.dropLast())
    try stored.check(scales, grid, of: name)
    let shape = try stored.shape(grid.dropLast() + [grid[grid.count - 1]], times: MXCodec.block, of: name)
    return LogicalTensor(
      name: name, shape: shape, codec: MXCodec(.e2m1), layout: self.name,
      planes: [.stored(blocks, .same), .stored(scales, .same)])
  }
}

extension Layouts {
  /// What the experts of gpt-oss are called.
  public static let gptOSS = "gpt-oss MXFP4"
}
