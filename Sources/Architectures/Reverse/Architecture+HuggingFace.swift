import GGUF
import JSON
import Tensors

/// The small files of a Hugging Face directory made from a GGUF file.
public struct HuggingFaceFiles: Sendable {
  /// Names and contents, in the order in which they are to be written.
  public var files: [(name: String, bytes: [UInt8])]
}

extension Architecture {
  /// config.json as the GGUF file's key-values and tensors have it. Throws `ArchitectureError`.
  ///
  /// - Parameter constants: F32 values of tensors that follow from the configuration, by name, as far as the caller
  ///   has read them: Phi-3's `rope_factors_long.weight` and `rope_factors_short.weight` go back into `rope_parameters`,
  ///   and Llama 3's `rope_freqs.weight` tells that its frequencies are scaled.
  public func config(
    metadata: GGUFMetadata, tensors: [GGUFTensorInfo], dtype: DType? = nil, constants: [String: [Float]] = [:]
  ) throws(ArchitectureError) -> JSONValue {
    var builder = ConfigBuilder(
      family: family, metadata: metadata, tensors: tensors, dtype: dtype ?? Self.dtype(of: metadata))
    builder.constants = constants
    return try builder.build()
  }

  /// config.json and the tokenizer's files. Throws `ArchitectureError`.
  public func files(
    metadata: GGUFMetadata, tensors: [GGUFTensorInfo], dtype: DType? = nil, constants: [String: [Float]] = [:]
  ) throws(ArchitectureError) -> HuggingFaceFiles {
    let config = try config(metadata: metadata, tensors: tensors, dtype: dtype, constants: constants)
    let style = JSONStyle(indent: 2, spaced: true)
    var files = [(name: "config.json", bytes: config.encoded(style) + [UInt8(ascii: "\n")])]
    files += try TokenizerReader(metadata: metadata).files()
    return HuggingFaceFiles(files: files)
  }
}
