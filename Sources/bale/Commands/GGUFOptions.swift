import ArgumentParser
import Calibration
import Checkpoints
import Codecs
import Conversion

/// The options of `bale convert` that are about GGUF models alone, under llama-quantize's names.
struct GGUFOptions: ParsableArguments {
  @Flag(name: .long, help: "To GGUF: give every tensor that can be quantized the same type.")
  var pure = false

  @Option(
    name: .long,
    help: ArgumentHelp("To GGUF: choose codes by an importance matrix (GGUF, or the older .dat).", valueName: "FILE"))
  var imatrix: String?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "To GGUF: the type of the tensors in whose names REGEX is found. Repeatable; the first that fits decides.",
      valueName: "REGEX=TYPE"))
  var tensorType: [String] = []

  @Option(name: .long, help: ArgumentHelp("To GGUF: the type of output.weight.", valueName: "TYPE"))
  var outputTensorType: String?

  @Option(name: .long, help: ArgumentHelp("To GGUF: the type of the token embeddings.", valueName: "TYPE"))
  var tokenEmbeddingType: String?

  @Flag(
    name: .long, help: "To GGUF: search for codes of less squared error than llama.cpp's, in the same types.")
  var search = false

  @Option(
    name: .long, help: ArgumentHelp("To GGUF: llama.cpp's name of the pre-tokenizer, if unknown.", valueName: "NAME"))
  var preTokenizer: String?

  @Option(name: .long, help: ArgumentHelp("To GGUF: cut the output in files of at most N tensors.", valueName: "N"))
  var splitMaxTensors: Int?

  func validate() throws {
    if let count = splitMaxTensors, count < 1 { throw ValidationError("--split-max-tensors should be at least 1") }
  }

  /// The first option given that only quantizing asks for.
  private var quantizing: String? {
    if pure { return "--pure" }
    if imatrix != nil { return "--imatrix" }
    if !tensorType.isEmpty { return "--tensor-type" }
    if outputTensorType != nil { return "--output-tensor-type" }
    if tokenEmbeddingType != nil { return "--token-embedding-type" }
    return search ? "--search" : nil
  }

  /// How the checkpoint is to be quantized; nil where it isn't, or isn't a GGUF model. Throws for an option that then
  /// has no meaning.
  func quantization(_ type: String?, of checkpoint: any Checkpoint, as format: ContainerFormat) throws
    -> GGUFQuantization?
  {
    guard let type, format == .gguf, GGUFQuantization.applies(to: checkpoint) else {
      if let option = quantizing {
        throw ValidationError(
          type == nil ? "\(option) needs --quantize" : "\(option) is for the tensors of a GGUF model; this isn't one")
      }
      return nil
    }
    var quantization = try GGUFQuantization(parsing: type)
    quantization.isPure = pure
    quantization.outputType = try outputTensorType.map { try GGUFQuantization.tensorType($0) }
    quantization.embeddingType = try tokenEmbeddingType.map { try GGUFQuantization.tensorType($0) }
    quantization.overrides = try tensorType.map { try GGUFQuantization.Override(parsing: $0) }
    quantization.importance = try imatrix.map { try ImportanceMatrix($0) }
    quantization.searches = search
    return quantization
  }
}
