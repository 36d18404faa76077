import Codecs
import GGUF
import Tensors

/// How the tensors of a GGUF file become those of a Hugging Face checkpoint.
public struct ReverseMap: Sendable {
  /// Sorted by name.
  public var tensors: [HuggingFaceMappedTensor]
  public var dropped: [ArchitectureMap.Dropped]
}

extension Architecture {
  /// The way back: experts unstacked, permutations undone, what was cut in two joined.
  ///
  /// - Parameters:
  ///   - metadata: key-values of the GGUF file.
  ///   - tensors: its tensors. Inputs of the result are indices into them; quantized ones are decoded by the caller,
  ///     but MXFP4 goes back to gpt-oss's own layout as it is.
  ///   - dtype: type of the result's floating-point tensors; nil for that of the file's matrices by
  ///     `general.file_type`, and BF16 if they are quantized.
  /// - Throws: `ArchitectureError` for a tensor that is unknown, missing, or not as the metadata says.
  public func reverse(
    metadata: GGUFMetadata, tensors: [GGUFTensorInfo], dtype: DType? = nil
  ) throws(ArchitectureError) -> ReverseMap {
    var builder = ReverseMapBuilder(
      family: family, metadata: metadata, tensors: tensors, dtype: dtype ?? Self.dtype(of: metadata))
    return try builder.build()
  }

  static func dtype(of metadata: GGUFMetadata) -> DType {
    switch metadata.integer("general.file_type") {
    case 0?: .f32
    case 1?: .f16
    default: .bf16
    }
  }
}
