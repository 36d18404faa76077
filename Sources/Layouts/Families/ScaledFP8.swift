import Codecs
import Tensors

/// FP8 weights with scales beside them, under all the names that these have: blocks (`weight_scale_inv` of DeepSeek-V3,
/// Qwen3 and Kimi-K2, `scale` of DeepSeek-V4), rows (FBGEMM, compressed-tensors, TorchAO, Quanto), the whole tensor
/// (static FP8, modelopt, Mistral), and MXFP8. Scales multiply, whatever their name says.
struct ScaledFP8: Layout {
  var name: String { "FP8" }

  /// How a library names a weight and its scales; `name` is what the logical tensor has for `weight`.
  private struct Naming: Sendable {
    var weight: String
    var scale: String
    var name: String
    var layout: String
  }

  private static let namings = [
    Naming(weight: "weight", scale: "weight_scale_inv", name: "weight", layout: "FP8"),
    Naming(weight: "weight", scale: "weight_scale", name: "weight", layout: "FP8"),
    Naming(weight: "weight", scale: "qscale_weight", name: "weight", layout: "Mistral FP8"),
    Naming(weight: "weight", scale: "scale", name: "weight", layout: "DeepSeek-V4 FP8"),
    Naming(weight: "_weight_qdata", scale: "_weight_scale", name: "weight", layout: "TorchAO"),
    Naming(weight: "weight._data", scale: "weight._scale", name: "weight", layout: "Quanto"),
    Naming(weight: "", scale: "_scale_inv", name: "", layout: "FP8"),
    Naming(weight: "", scale: "_scale", name: "", layout: "FP8"),
  ]

  func tensors(in stored: StoredTensors) throws -> [LogicalTensor] {
    var found: [LogicalTensor] = []
    for weight in stored.all {
      guard let element = FP8Element(weight.dtype), let last = weight.shape.last, last > 0 else { continue }
      if let (naming, module, scale) = Self.scale(of: weight, stored) {
        found.append(try tensor(weight, element, naming, module, scale, stored))
      } else {
        try Self.checkOptional(weight, stored)
      }
    }
    for (module, scale) in stored.ending("weight_scale_inv") where stored[module + "weight"] == nil {
      throw stored.fault(.missing(module + "weight"), String(scale.name.dropLast("_scale_inv".count)))
    }
    return found
  }

  private static func scale(
    of weight: StoredTensor, _ stored: StoredTensors
  ) -> (Naming, module: String, scale: StoredTensor)? {
    for naming in namings where weight.name.hasSuffix(naming.weight) {
      let module = String(weight.name.dropLast(naming.weight.count))
      if let scale = stored[module + naming.scale] { return (naming, module, scale) }
    }
    return nil
  }

  /// Weights of a checkpoint that says it is quantized need their scales.
  private static func checkOptional(_ weight: StoredTensor, _ stored: StoredTensors) throws(LayoutError) {
    let methods = ["fp8": "weight_scale_inv", "fbgemm_fp8": "weight_scale", "compressed-tensors": "weight_scale"]
    guard let method = stored.configuration.method, let scale = methods[method], weight.shape.count == 2,
      weight.name.hasSuffix(".weight")
    else { return }
    throw stored.fault(.missing(String(weight.name.dropLast("weight".count)) + scale), weight.name)
  }

  private func tensor(
    _ weight: StoredTensor, _ element: FP8Element, _ naming: Naming, _ module: String, _ scale: StoredTensor,
    _ stored: StoredTensors
  ) throws(LayoutError) -> LogicalTensor {
    let logical = module + naming.name
    try stored.check(scale, [.f32, .bf16, .f16, .f8e8m0, .u8], of: logical)
    guard let shape = Shape(weight.shape) else { throw stored.fault(.value("its shape overflows"), logical) }
    let codec: any Codec
    if let mx = Self.microscaling(element, weight, scale) {
      codec = mx
    } else {
      let sides = try FP8Sides(weight, scale, of: logical, stored)
      codec = try stored.naming(logical) { () throws(CodecError) in
        try FP8Codec(element, scale: Self.scaleType(scale), rows: sides.rows, columns: sides.columns)
      }
    }
    return LogicalTensor(
      name: logical, shape: shape, codec: codec, layout: codec is MXCodec ? "\(naming.layout) (MX)" : naming.layout,
      planes: [.stored(weight, .same), .stored(scale, .same)],
      companions: stored.present(
        ["input_scale", "output_scale", "input_scale_ub", "qscale_act", "input_activation_scale"].map { module + $0 }))
  }

  private static func scaleType(_ scale: StoredTensor) -> FP8Scale { FP8Scale(rawValue: scale.dtype.rawValue) ?? .e8m0 }

  /// Blocks of 32 along rows under a power of two, or nil.
  private static func microscaling(
    _ element: FP8Element, _ weight: StoredTensor, _ scale: StoredTensor
  ) -> MXCodec? {
    guard scale.dtype == .u8 || scale.dtype == .f8e8m0, scale.shape.count == weight.shape.count,
      scale.shape.dropLast() == weight.shape.dropLast(), let columns = weight.shape.last,
      scale.shape.last == columns.dividedRoundingUp(by: MXCodec.block)
    else { return nil }
    switch element {
    case .e4m3: return MXCodec(.e4m3)
    case .e5m2: return MXCodec(.e5m2)
    case .e4m3fnuz, .e5m2fnuz: return nil
    }
  }
}
