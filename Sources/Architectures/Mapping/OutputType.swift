import Codecs
import Tensors

/// The type of a GGUF file's matrices; norms, biases and routers are F32 whatever it is.
public enum OutputType: String, Sendable, CaseIterable {
  case f32
  case f16
  case bf16

  /// The type that the converter takes if none is asked for: that of the first tensor of two or more dimensions that
  /// is BF16 or F16, and F16 if none is.
  public static func automatic(_ tensors: [SourceTensor]) -> OutputType {
    for tensor in tensors where tensor.shape.rank >= 2 {
      if tensor.dtype == .bf16 { return .bf16 }
      if tensor.dtype == .f16 { return .f16 }
    }
    return .f16
  }

  var ggml: GGMLType {
    switch self {
    case .f32: .f32
    case .f16: .f16
    case .bf16: .bf16
    }
  }

  /// `general.file_type` of a file whose matrices have this type.
  var fileType: Int {
    switch self {
    case .f32: 0
    case .f16: 1
    case .bf16: 32
    }
  }

  /// The type of a tensor by its name in GGUF and its rank.
  func type(of name: String, rank: Int) -> GGMLType {
    let isSmall =
      rank <= 1 || !name.hasSuffix(".weight") || name.hasSuffix("_norm.weight")
      || name.hasSuffix(".ffn_gate_inp.weight") || name.hasSuffix(".ffn_gate_inp_shexp.weight")
    return isSmall ? .f32 : ggml
  }
}
