import Checkpoints
import Codecs
import Tensors

/// Which encodings a container holds, and what a tensor becomes in it.
enum TargetEncoding {
  /// The encoding of a tensor in the output, and the rule for its scales. Throws `PlanError` with what to do if the
  /// container can't hold it.
  static func choose(
    _ source: CheckpointTensor, index: Int, request: ConvertRequest, mix: GGUFMix?
  ) throws(PlanError) -> (codec: any Codec, rule: ScaleRule?) {
    if let mix, isFloat(source.codec), let type = mix.types[index] {
      return try choose(source, type, searching: mix.quantization.searches)
    }
    if mix != nil, let form = form(of: source.codec, in: request.format) { return (form, nil) }
    let treatment = request.recipe.treatment(name: source.name, role: source.role)
    if case .solve(let descriptor, _) = treatment, isFloat(source.codec) {
      throw PlanError(
        tensor: source.name,
        reason: "\(request.format.rawValue) can't hold \(descriptor) as a solver chooses it; pack it in a .bale, or "
          + "convert to safetensors, which takes the values")
    }
    if case .quantize(let descriptor, let rule) = treatment, isFloat(source.codec) {
      let codec: any Codec
      do {
        codec = try CodecRegistry.codec(descriptor)
        try codec.check(source.shape)
      } catch {
        throw PlanError(tensor: source.name, reason: "\(error)")
      }
      guard let form = form(of: codec, in: request.format) else {
        throw PlanError(tensor: source.name, reason: "\(request.format.rawValue) can't hold \(codec.shortName)")
      }
      return (form, rule)
    }
    if let form = form(of: source.codec, in: request.format) { return (form, nil) }
    if let dtype = request.dequantized, isFloat(source.codec) { return (PlainCodec(dtype), nil) }
    let remedy =
      isFloat(source.codec) ? "give --dequantize, or convert to .bale" : "convert to .bale or safetensors"
    throw PlanError(
      tensor: source.name,
      reason: "\(request.format.rawValue) can't hold \(source.codec.shortName) as it is; \(remedy)")
  }

  private static func choose(
    _ source: CheckpointTensor, _ type: GGMLType, searching: Bool
  ) throws(PlanError) -> (codec: any Codec, rule: ScaleRule?) {
    do {
      let codec = try type.codec
      try codec.check(source.shape)
      return (codec, searching && type.isSearchable ? .search : nil)
    } catch {
      throw PlanError(tensor: source.name, reason: "\(error)")
    }
  }

  /// The encoding by which a container holds the same values exactly, or nil.
  static func form(of codec: any Codec, in format: ContainerFormat) -> (any Codec)? {
    switch format {
    case .safetensors:
      if let split = codec as? SplitCodec { return PlainCodec(split.dtype) }
      return codec is PlainCodec ? codec : nil
    case .gguf:
      if let split = codec as? SplitCodec { return form(of: PlainCodec(split.dtype), in: format) }
      return GGMLForm.exact(codec)
    case .bale: return codec
    case .onnx: return nil
    }
  }

  static func isFloat(_ codec: any Codec) -> Bool {
    (codec as? PlainCodec)?.dtype.isFloat ?? true
  }
}
