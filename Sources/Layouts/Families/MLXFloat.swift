import ByteIO
import Codecs
import Tensors

/// The modes of MLX with float codes: `weight` U32 with `scales` U8 and no `biases`. How many words a scale serves tells
/// mxfp4, mxfp8 and nvfp4 apart.
struct MLXFloat: Layout {
  var name: String { "MLX" }

  func tensors(in stored: StoredTensors) throws -> [LogicalTensor] {
    var found: [LogicalTensor] = []
    for (module, scales) in stored.ending("scales") where scales.dtype == .u8 {
      guard module.isEmpty || module.hasSuffix("."), let weight = stored[module + "weight"], weight.dtype == .u32,
        stored[module + "biases"] == nil
      else { continue }
      found.append(try tensor(module, weight, scales, stored))
    }
    return found
  }

  private func tensor(
    _ module: String, _ weight: StoredTensor, _ scales: StoredTensor, _ stored: StoredTensors
  ) throws(LayoutError) -> LogicalTensor {
    let factor = stored[module + "global_scale"]
    if let factor { try stored.checkFactor(factor, of: weight.name) }
    let outer = Array(weight.shape.dropLast())
    let modes = [
      MicroscalingGrid.mxfp4, MicroscalingGrid.mxfp8, MicroscalingGrid.nvfp4(factor == nil ? .none : .absmax),
    ]
    guard let words = weight.shape.last, let bytes = words.multiplied(by: 4), let count = scales.shape.last,
      Array(scales.shape.dropLast()) == outer,
      let grid = MicroscalingGrid(outer: outer, bytes: bytes, scales: count, codecs: modes),
      factor == nil || grid.codec is NVFP4Codec
    else {
      throw stored.fault(
        .shape(stored: scales.name, found: scales.shape, expected: "a scale for each 32 or 16 of \(weight.shape)"),
        weight.name)
    }
    try checkConfiguration(module, weight.name, grid.codec, stored)
    return LogicalTensor(
      name: weight.name, shape: grid.shape, codec: grid.codec, layout: "MLX \(Self.mode(grid.codec))",
      planes: [weight, scales].map { .stored($0, .same) } + (factor.map { [.stored($0, .same)] } ?? []))
  }

  private static func mode(_ codec: any Codec) -> String {
    codec.descriptor.name == "mxfp8e4m3" ? "mxfp8" : codec.descriptor.name
  }

  /// The mode of the configuration, of the module where it has one of its own, must be that of the tensor.
  private func checkConfiguration(
    _ module: String, _ logical: String, _ codec: any Codec, _ stored: StoredTensors
  ) throws(LayoutError) {
    guard let all = stored.configuration.mlx else { return }
    guard let mode = all[String(module.dropLast())]?["mode"]?.string ?? all["mode"]?.string else { return }
    guard mode == Self.mode(codec) else {
      throw stored.fault(.disagreement("the mode is \(mode), and the shapes are those of \(Self.mode(codec))"), logical)
    }
  }
}
