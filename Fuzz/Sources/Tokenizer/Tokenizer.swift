import Architectures
import FuzzSupport
import GGUF
import JSON

/// A tokenizer's file: what is accepted gives a vocabulary. An input that starts as JSON does is a tokenizer.json.
/// libFuzzer's entry.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let bytes = fuzzInput(data, count)
  var files = TokenizerFiles()
  if bytes.first == UInt8(ascii: "{") {
    guard let json = try? JSONValue(parsing: bytes, duplicateKeys: .kept) else { return 0 }
    (files.json, files.config) = (json, json["tokenizer_config"])
  } else {
    files.model = bytes
  }
  let config = #"{"architectures":["LlamaForCausalLM"],"vocab_size":64}"#
  guard let config = try? JSONValue(parsing: Array(config.utf8)),
    let architecture = ArchitectureRegistry.find(config: config)
  else { return 0 }
  let model = HuggingFaceModel(directoryName: "model", config: config, tokenizer: files)
  var metadata = GGUFMetadata()
  guard (try? architecture.addTokenizer(of: model, preTokenizer: "default", to: &metadata)) != nil else { return 0 }
  guard case .array(let tokens)? = metadata["tokenizer.ggml.tokens"],
    case .array(let types)? = metadata["tokenizer.ggml.token_type"]
  else { return 0 }
  require(tokens.count == types.count, "tokens without a type")
  return 0
}
