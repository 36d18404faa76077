import ByteIO
import Tensors

/// What is wrong with a model, said of the tensor, the configuration key or the tokenizer file concerned.
public enum ArchitectureError: BadFileError, Equatable {
  /// The architecture has no tensor of that name.
  case unknownTensor(String)
  case missingTensor(String)
  case duplicateTensor(String)
  case shape(tensor: String, found: Shape, expected: String)
  /// Elements of a type that the architecture can't hold there, such as packed codes without their layout.
  case type(tensor: String, found: DType)
  case missingParameter(String)
  case parameter(String, String)
  case missingFile(String)
  case tokenizer(String)
  /// No pre-tokenizer is known by this configuration.
  case unknownPreTokenizer
  /// The GGUF file's metadata lacks a key.
  case missingKey(String)
  case key(String, String)

  public var description: String {
    switch self {
    case .unknownTensor(let name): "tensor '\(name)': the architecture has no such tensor"
    case .missingTensor(let name): "tensor '\(name)' is missing"
    case .duplicateTensor(let name): "tensor '\(name)' is there more than once"
    case .shape(let name, let found, let expected): "tensor '\(name)': shape \(found), expected \(expected)"
    case .type(let name, let found): "tensor '\(name)': elements of type \(found.rawValue) are not expected here"
    case .missingParameter(let key): "config.json: '\(key)' is missing"
    case .parameter(let key, let problem): "config.json: '\(key)' \(problem)"
    case .missingFile(let name): "the model has no file \(name)"
    case .tokenizer(let problem): "tokenizer: \(problem)"
    case .unknownPreTokenizer:
      "tokenizer.json: the pre-tokenizer is not one that llama.cpp has a name for; name it with --pre-tokenizer NAME"
    case .missingKey(let key): "metadata key '\(key)' is missing"
    case .key(let key, let problem): "metadata key '\(key)' \(problem)"
    }
  }
}
