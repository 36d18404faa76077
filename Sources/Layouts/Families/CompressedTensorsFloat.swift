import Codecs
import Tensors

/// The formats of compressed-tensors with 4-bit and 6-bit floats: `weight_packed` U8 with `weight_scale`, of bytes
/// (MXFP4, MXFP6) or of E4M3 (NVFP4, with `weight_global_scale`).
struct CompressedTensorsFloat: Layout {
  var name: String { "compressed-tensors" }

  func tensors(in stored: StoredTensors) throws -> [LogicalTensor] {
    var found: [LogicalTensor] = []
    for (module, packed) in stored.ending("weight_packed") where packed.dtype == .u8 {
      let logical = module + "weight"
      let scales = try stored.required(module + "weight_scale", of: logical)
      let global = stored[module + "weight_global_scale"]
      try stored.check(scales, [.u8, .f8e8m0, .f8e4m3], of: logical)
      if scales.dtype == .f8e4m3 { _ = try stored.required(module + "weight_global_scale", of: logical) }
      found.append(try tensor(logical, module, packed, scales, global, stored))
    }
    return found
  }

  private func tensor(
    _ logical: String, _ module: String, _ packed: StoredTensor, _ scales: StoredTensor, _ global: StoredTensor?,
    _ stored: StoredTensors
  ) throws(LayoutError) -> LogicalTensor {
    let isNVFP4 = scales.dtype == .f8e4m3
    let codecs =
      isNVFP4 ? [MicroscalingGrid.nvfp4(.divide)] : [MicroscalingGrid.mxfp4, MicroscalingGrid.mxfp6]
    let outer = Array(packed.shape.dropLast())
    guard let bytes = packed.shape.last, let count = scales.shape.last, Array(scales.shape.dropLast()) == outer,
      let grid = MicroscalingGrid(outer: outer, bytes: bytes, scales: count, codecs: codecs)
    else {
      throw stored.fault(
        .shape(
          stored: scales.name, found: scales.shape,
          expected: "a scale for each \(isNVFP4 ? 16 : 32) of \(packed.shape)"), logical)
    }
    try checkConfiguration(logical, module, grid.codec, stored)
    var planes = [PlaneSource.stored(packed, .same), .stored(scales, .same)]
    var codec = grid.codec
    if isNVFP4, let global {
      codec = try stored.codec(grid, factors: global, of: logical)
      planes.append(.stored(global, .same))
    }
    return LogicalTensor(
      name: logical, shape: grid.shape, codec: codec,
      layout: "compressed-tensors \(isNVFP4 ? "NVFP4" : (grid.codec.descriptor.name == "mxfp4" ? "MXFP4" : "MXFP6"))",
      planes: planes,
      companions: stored.present([module + "input_global_scale", module + "weight_shape"]))
  }

  /// The width that the configuration gives to all weights, if it has one group, must be that of the tensor.
  private func checkConfiguration(
    _ logical: String, _ module: String, _ codec: any Codec, _ stored: StoredTensors
  ) throws(LayoutError) {
    guard let groups = stored.configuration.quantization?["config_groups"]?.object?.members, groups.count == 1,
      let bits = groups[0].value["weights"]?["num_bits"]?.int
    else { return }
    let found = codec.descriptor.name == "mxfp6e2m3" ? 6 : 4
    guard bits == found else {
      throw stored.fault(.disagreement("num_bits is \(bits), and \(codec.descriptor.name) has \(found)"), logical)
    }
  }
}
