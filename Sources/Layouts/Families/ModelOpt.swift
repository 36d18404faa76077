import Codecs
import Tensors

/// The 4-bit floats of NVIDIA's modelopt, and the packed experts of DeepSeek-V4: `weight` of bytes that hold two codes,
/// with `weight_scale` of E4M3 and `weight_scale_2` (NVFP4), or with `weight_scale` or `scale` of powers of two (MXFP4).
struct ModelOpt: Layout {
  var name: String { "modelopt" }

  func tensors(in stored: StoredTensors) throws -> [LogicalTensor] {
    var found: [LogicalTensor] = []
    for (module, weight) in stored.ending(".weight") where weight.dtype == .u8 || weight.dtype == .i8 {
      let module = module + "."
      guard let scales = stored[module + "weight_scale"] ?? stored[module + "scale"] else {
        if let factor = stored[module + "weight_scale_2"] {
          throw stored.fault(.missing(module + "weight_scale"), String(factor.name.dropLast("_scale_2".count)))
        }
        continue
      }
      switch scales.dtype {
      case .f8e4m3 where weight.dtype == .u8: found.append(try nvfp4(module, weight, scales, stored))
      case .u8 where weight.dtype == .u8, .f8e8m0: found.append(try mxfp4(module, weight, scales, stored))
      default: continue
      }
    }
    return found
  }

  private func nvfp4(
    _ module: String, _ weight: StoredTensor, _ scales: StoredTensor, _ stored: StoredTensors
  ) throws(LayoutError) -> LogicalTensor {
    let factor = try stored.required(module + "weight_scale_2", of: weight.name)
    let grid = try grid(weight, scales, MicroscalingGrid.nvfp4(.multiply, zero: .unsigned), stored)
    let codec = try stored.codec(grid, factors: factor, of: weight.name)
    return LogicalTensor(
      name: weight.name, shape: grid.shape, codec: codec, layout: "modelopt NVFP4",
      planes: [.stored(weight, .same), .stored(scales, .same), .stored(factor, .same)],
      companions: stored.present([module + "input_scale"]))
  }

  private func mxfp4(
    _ module: String, _ weight: StoredTensor, _ scales: StoredTensor, _ stored: StoredTensors
  ) throws(LayoutError) -> LogicalTensor {
    let grid = try grid(weight, scales, MicroscalingGrid.mxfp4, stored)
    return LogicalTensor(
      name: weight.name, shape: grid.shape, codec: grid.codec,
      layout: weight.dtype == .i8 ? "DeepSeek MXFP4" : "modelopt MXFP4",
      planes: [.stored(weight, .same), .stored(scales, .same)],
      companions: stored.present([module + "input_scale"]))
  }

  private func grid(
    _ weight: StoredTensor, _ scales: StoredTensor, _ codec: (codec: any Codec, bits: Int, block: Int),
    _ stored: StoredTensors
  ) throws(LayoutError) -> MicroscalingGrid {
    let outer = Array(weight.shape.dropLast())
    guard let bytes = weight.shape.last, let count = scales.shape.last, Array(scales.shape.dropLast()) == outer,
      let grid = MicroscalingGrid(outer: outer, bytes: bytes, scales: count, codecs: [codec])
    else {
      throw stored.fault(
        .shape(
          stored: scales.name, found: scales.shape, expected: "a scale for each \(codec.block) of \(weight.shape)"),
        weight.name)
    }
    return grid
  }
}
