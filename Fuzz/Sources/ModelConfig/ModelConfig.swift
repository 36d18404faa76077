import Architectures
import FuzzSupport
import JSON
import Tensors

/// A config.json beside the tensors of a small model: keys and a map of the tensors, or an error.
/// libFuzzer's entry.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  guard let config = try? JSONValue(parsing: fuzzInput(data, count), duplicateKeys: .kept),
    let architecture = ArchitectureRegistry.find(config: config),
    let map = try? architecture.map(config: config, tensors: tensors, type: .bf16)
  else { return 0 }
  require(map.tensors.count + map.dropped.count <= tensors.count * 64, "more tensors than the sources can give")
  let model = HuggingFaceModel(directoryName: "model", config: config)
  _ = try? architecture.metadata(model, map: map, type: .bf16)
  return 0
}

/// Mixtral with one layer and two experts.
private let tensors: [SourceTensor] = {
  let block = "model.layers.0."
  var shapes: [(String, [Int])] = [
    ("model.embed_tokens.weight", [16, 8]), ("model.norm.weight", [8]), ("lm_head.weight", [16, 8]),
    (block + "input_layernorm.weight", [8]), (block + "post_attention_layernorm.weight", [8]),
    (block + "block_sparse_moe.gate.weight", [2, 8]),
  ]
  for name in ["q", "k", "v", "o"] { shapes.append((block + "self_attn.\(name)_proj.weight", [8, 8])) }
  for expert in 0..<2 {
    let prefix = block + "block_sparse_moe.experts.\(expert)."
    shapes += [(prefix + "w1.weight", [4, 8]), (prefix + "w2.weight", [8, 4]), (prefix + "w3.weight", [4, 8])]
  }
  return shapes.map { SourceTensor(name: $0.0, shape: Shape($0.1) ?? .scalar, dtype: .bf16) }
}()
