import Architectures
import FuzzSupport
import GGUF

/// A GGUF file's way back to Hugging Face: configuration and tokenizer from its keys.
/// libFuzzer's entry.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  guard let header = try? GGUFHeader(parsing: fuzzInput(data, count), path: "input"),
    let architecture = ArchitectureRegistry.find(metadata: header.metadata)
  else { return 0 }
  let infos = header.tensors.map(\.info)
  _ = try? architecture.reverse(metadata: header.metadata, tensors: infos, dtype: nil)
  _ = try? architecture.files(metadata: header.metadata, tensors: infos, dtype: nil, constants: [:])
  return 0
}
