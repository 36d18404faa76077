import Calibration
import Checkpoints
import Codecs

/// How a GGUF model is to be quantized: what llama-quantize is told by its options.
public struct GGUFQuantization: Sendable {
  public var fileType: GGUFFileType
  /// True to give every tensor that can be quantized the base type.
  public var isPure = false
  /// The type of `output.weight`, in place of the mix's.
  public var outputType: GGMLType?
  /// The type of the token embeddings, in place of the mix's.
  public var embeddingType: GGMLType?
  /// Types of the tensors whose names a pattern is found in; the first that is decides.
  public var overrides: [Override] = []
  /// The importance of columns, by which some types choose their codes.
  public var importance: ImportanceMatrix?
  /// True to search for the least squared error where a type has something to choose from.
  public var searches = false

  /// `REGEX=TYPE`: the type of the tensors in whose names the pattern is found.
  public struct Override: Sendable, Equatable {
    /// As llama-quantize has it, in lower case.
    public var pattern: String
    public var type: GGMLType

    /// Parses `REGEX=TYPE`; the first "=" ends the pattern. Throws `CodecError.descriptor`.
    public init(parsing text: String) throws(CodecError) {
      guard let sign = text.firstIndex(of: "="), sign != text.startIndex else {
        throw .descriptor(text, reason: "it should be REGEX=TYPE")
      }
      pattern = text[..<sign].lowercased()
      type = try GGUFQuantization.tensorType(String(text[text.index(after: sign)...]))
      guard (try? Regex(pattern)) != nil else { throw .descriptor(text, reason: "the regular expression is malformed") }
    }
  }

  /// True if the checkpoint is a GGUF model, or is seen as one, so that its tensors have GGUF's names.
  public static func applies(to checkpoint: any Checkpoint) -> Bool { GGUFSource.metadata(of: checkpoint) != nil }

  public init(_ fileType: GGUFFileType) { self.fileType = fileType }

  /// Reads the TYPE of `--quantize` for a GGUF model. Throws `CodecError.descriptor`, naming what there is.
  public init(parsing text: String) throws(CodecError) {
    guard let type = GGUFFileType(name: text) else {
      let names = GGUFFileType.allCases.map(\.name).joined(separator: ", ")
      throw .descriptor(text, reason: "a GGUF model can't be quantized to it; possible are \(names)")
    }
    self.init(type)
  }

  /// Reads the type of a single tensor. Throws `CodecError.descriptor`, naming what there is.
  public static func tensorType(_ name: String) throws(CodecError) -> GGMLType {
    guard let type = GGMLType(name: name), isPossible(type) else {
      let names = GGMLType.allCases.filter(isPossible).map(\.name).joined(separator: ", ")
      throw .descriptor(name, reason: "a tensor can't be quantized to it; possible are \(names)")
    }
    return type
  }

  private static func isPossible(_ type: GGMLType) -> Bool {
    type.isQuantizable || type == .f32 || type == .f16 || type == .bf16
  }
}
