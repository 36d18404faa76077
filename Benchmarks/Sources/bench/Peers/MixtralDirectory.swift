import ByteIO
import Tensors

/// A Hugging Face directory of a small Mixtral that llama.cpp knows, of about 1.15 GB in BF16: three layers of four
/// experts. The tokenizer is that of the model in `samples`; the vocabulary is padded to the usual 32000.
struct MixtralDirectory {
  let path: String
  /// Bytes of the checkpoint.
  let size: Int

  private static let hidden = 2048
  private static let inner = 5632
  private static let layers = 3
  private static let experts = 4
  private static let vocabulary = 32000
  private static let keyRows = 512

  init(at path: String, samples: String) throws {
    self.path = path
    try Path.createDirectory(path)
    for name in ["tokenizer.model", "tokenizer_config.json"] {
      try Self.write(try InputFile(Path.join(samples, name)).whole(), to: Path.join(path, name))
    }
    try Self.write(Array(Self.config.utf8), to: Path.join(path, "config.json"))
    size = try Checkpoint.write(Self.tensors, to: Path.join(path, "model.safetensors"))
  }

  private static var config: String {
    """
    {"architectures": ["MixtralForCausalLM"], "model_type": "mixtral", "torch_dtype": "bfloat16",
     "hidden_size": \(hidden), "intermediate_size": \(inner), "num_hidden_layers": \(layers),
     "num_local_experts": \(experts), "num_experts_per_tok": 2, "num_attention_heads": 16, "num_key_value_heads": 4,
     "vocab_size": \(vocabulary), "max_position_embeddings": 2048, "rms_norm_eps": 1e-05, "rope_theta": 10000.0,
     "hidden_act": "silu", "tie_word_embeddings": false, "bos_token_id": 1, "eos_token_id": 2}
    """
  }

  private static var tensors: [(name: String, shape: [Int])] {
    var tensors = [
      ("model.embed_tokens.weight", [vocabulary, hidden]), ("model.norm.weight", [hidden]),
      ("lm_head.weight", [vocabulary, hidden]),
    ]
    for layer in 0..<layers {
      let place = "model.layers.\(layer)"
      tensors += [
        ("\(place).input_layernorm.weight", [hidden]), ("\(place).post_attention_layernorm.weight", [hidden]),
        ("\(place).self_attn.q_proj.weight", [hidden, hidden]),
        ("\(place).self_attn.k_proj.weight", [keyRows, hidden]),
        ("\(place).self_attn.v_proj.weight", [keyRows, hidden]),
        ("\(place).self_attn.o_proj.weight", [hidden, hidden]),
        ("\(place).block_sparse_moe.gate.weight", [experts, hidden]),
      ]
      for expert in 0..<experts {
        let place = "\(place).block_sparse_moe.experts.\(expert)"
        tensors += [
          ("\(place).w1.weight", [inner, hidden]), ("\(place).w2.weight", [hidden, inner]),
          ("\(place).w3.weight", [inner, hidden]),
        ]
      }
    }
    return tensors
  }

  private static func write(_ bytes: [UInt8], to path: String) throws {
    let output = try OutputFile(path, overwrite: true)
    try output.write(bytes, at: 0)
    try output.commit(length: bytes.count)
  }
}

extension InputFile {
  func whole() throws -> [UInt8] { try bytes(0..<size) }
}
