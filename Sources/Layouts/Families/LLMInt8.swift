import ByteIO
import Codecs
import Tensors

/// LLM.int8 of bitsandbytes: a byte a code, and in `SCB` the largest magnitude of each row, of which a code is so many
/// 127ths: w = q * SCB * (1 / 127), two multiplications. Only row-major weights; older ones in GPU tiles are refused.
struct LLMInt8: Layout {
  let name = "bitsandbytes LLM.int8"

  func tensors(in stored: StoredTensors) throws -> [LogicalTensor] {
    try (stored.ending(".SCB") + stored.ending(".weight_scb")).compactMap { module, absmax in
      guard let weight = stored["\(module).weight"], weight.dtype == .i8 else { return nil }
      let (rows, _) = try stored.matrix(weight, of: weight.name)
      try stored.check(absmax, [.f32], of: weight.name)
      try stored.check(absmax, [rows], of: weight.name)
      let format = stored["\(module).weight_format"] ?? stored["\(module).weight_weight_format"]
      if let format, try stored.integers(format, of: weight.name).first != 0 {
        throw stored.fault(.unreadable(layout: "\(name) in GPU tiles", remedy: "save the model anew"), weight.name)
      }
      let codec = try stored.naming(weight.name) { () throws(CodecError) in
        try IntegersCodec(bits: 8, grouping: .row, scale: .f32, zero: .none, over: 127)
      }
      return LogicalTensor(
        name: weight.name, shape: try stored.shape(weight.shape, of: weight.name), codec: codec, layout: name,
        planes: [.stored(weight, .same), .stored(absmax, .same)], companions: [format].compactMap { $0 })
    }
  }
}
