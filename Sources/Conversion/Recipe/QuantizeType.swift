import Checkpoints
import Codecs
import Tensors

/// The TYPE of `--quantize`, as people name it: a plain dtype (`bf16`), a ggml type (`q8_0`), or an encoding of Bale
/// (`int4:group=32@absmax`).
public struct QuantizeType: Sendable {
  /// What becomes of each tensor. Plain dtypes are for every float tensor; encodings for weight matrices alone.
  public let recipe: Recipe

  /// - Parameters:
  ///   - text: nil keeps every tensor as it is.
  ///   - dequantized: for a `.bale`, what quantized tensors become.
  /// Throws `CodecError.descriptor` for a type that doesn't exist or can't be made from floats.
  public init(_ text: String?, dequantized: DType? = nil, format: ContainerFormat) throws(CodecError) {
    guard let text else {
      guard let dtype = dequantized, format == .bale else {
        recipe = Recipe(name: "keep", rules: [])
        return
      }
      recipe = Recipe(
        name: dtype.rawValue,
        rules: [Recipe.Rule(Selector("*"), .quantize(PlainCodec(dtype).descriptor, nil))])
      return
    }
    if let dtype = DType(rawValue: text.uppercased()), dtype.isFloat {
      recipe = Recipe(
        name: text, rules: [Recipe.Rule(Selector("*"), .quantize(PlainCodec(dtype).descriptor, nil))])
      return
    }
    let treatment = try Self.treatment(text, format: format)
    recipe = Recipe(
      name: text, rules: ["experts", "attention", "linear"].map { Recipe.Rule(Selector($0), treatment) })
  }

  /// In GGUF the names are ggml's; elsewhere ggml's types are known by their names too.
  private static func treatment(_ text: String, format: ContainerFormat) throws(CodecError) -> Treatment {
    if format == .gguf, let base = GGUFFileType(name: text)?.base, base.plainDType == nil {
      return try Treatment(parsing: "ggml:type=\(base.name)")
    }
    if let type = GGMLType(name: text), type.plainDType == nil, format == .gguf || text != "mxfp4" {
      return try Treatment(parsing: "ggml:type=\(type.name)")
    }
    return try Treatment(parsing: text)
  }
}
