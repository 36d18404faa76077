import Checkpoints
import Testing

/// Names as the families' checkpoints on Hugging Face, and llama.cpp's converter, give them.
@Suite struct TensorRoleTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var name: String
    var rank: Int
    var role: TensorRole
    var testDescription: String { name }

    init(_ name: String, _ rank: Int, _ role: TensorRole) { (self.name, self.rank, self.role) = (name, rank, role) }
  }

  static let mixtral: [Case] = [
    Case("model.embed_tokens.weight", 2, .embedding),
    Case("model.layers.3.block_sparse_moe.gate.weight", 2, .router),
    Case("model.layers.3.block_sparse_moe.experts.7.w1.weight", 2, .expert(layer: 3, expert: 7, matrix: .gate)),
    Case("model.layers.3.block_sparse_moe.experts.7.w2.weight", 2, .expert(layer: 3, expert: 7, matrix: .down)),
    Case("model.layers.3.block_sparse_moe.experts.7.w3.weight", 2, .expert(layer: 3, expert: 7, matrix: .up)),
    Case("model.layers.3.self_attn.q_proj.weight", 2, .attention),
    Case("model.layers.3.self_attn.o_proj.weight", 2, .attention),
    Case("model.layers.3.input_layernorm.weight", 1, .norm),
    Case("model.layers.3.post_attention_layernorm.weight", 1, .norm),
    Case("model.norm.weight", 1, .norm),
    Case("lm_head.weight", 2, .head),
  ]

  static let qwen: [Case] = [
    Case("model.layers.0.mlp.gate.weight", 2, .router),
    Case("model.layers.0.mlp.shared_expert_gate.weight", 2, .router),
    Case("model.layers.0.mlp.shared_expert.gate_proj.weight", 2, .linear),
    Case("model.layers.0.mlp.shared_expert.down_proj.weight", 2, .linear),
    Case("model.layers.0.mlp.experts.59.gate_proj.weight", 2, .expert(layer: 0, expert: 59, matrix: .gate)),
    Case("model.layers.0.mlp.experts.59.up_proj.weight", 2, .expert(layer: 0, expert: 59, matrix: .up)),
    Case("model.layers.0.mlp.experts.59.down_proj.weight", 2, .expert(layer: 0, expert: 59, matrix: .down)),
    Case("model.layers.0.mlp.gate_proj.weight", 2, .linear),
    Case("model.layers.0.self_attn.q_proj.bias", 1, .bias),
    Case("model.layers.0.self_attn.q_norm.weight", 1, .norm),
  ]

  static let deepSeek: [Case] = [
    Case("model.layers.3.mlp.gate.weight", 2, .router),
    Case("model.layers.3.mlp.gate.e_score_correction_bias", 1, .router),
    Case("model.layers.3.mlp.shared_experts.gate_proj.weight", 2, .linear),
    Case("model.layers.3.mlp.shared_experts.up_proj.weight", 2, .linear),
    Case("model.layers.3.mlp.experts.255.down_proj.weight", 2, .expert(layer: 3, expert: 255, matrix: .down)),
    Case("model.layers.0.mlp.down_proj.weight", 2, .linear),
    Case("model.layers.3.self_attn.kv_a_proj_with_mqa.weight", 2, .attention),
    Case("model.layers.3.self_attn.kv_a_layernorm.weight", 1, .norm),
    Case("model.layers.61.eh_proj.weight", 2, .linear),
    Case("model.layers.61.shared_head.norm.weight", 1, .norm),
  ]

  static let gptOSS: [Case] = [
    Case("model.layers.5.mlp.router.weight", 2, .router),
    Case("model.layers.5.mlp.router.bias", 1, .router),
    Case("model.layers.5.mlp.experts.gate_up_proj", 3, .expert(layer: 5, expert: nil, matrix: .gateUp)),
    Case("model.layers.5.mlp.experts.down_proj", 3, .expert(layer: 5, expert: nil, matrix: .down)),
    Case("model.layers.5.mlp.experts.gate_up_proj_bias", 2, .expertBias(layer: 5, expert: nil)),
    Case("model.layers.5.mlp.experts.down_proj_bias", 2, .expertBias(layer: 5, expert: nil)),
    Case("model.layers.5.self_attn.sinks", 1, .other),
    Case("model.layers.5.self_attn.k_proj.bias", 1, .bias),
  ]

  static let olmoe: [Case] = [
    Case("model.layers.15.mlp.experts.63.up_proj.weight", 2, .expert(layer: 15, expert: 63, matrix: .up)),
    Case("model.layers.15.mlp.gate.weight", 2, .router),
    Case("model.layers.15.self_attn.k_norm.weight", 1, .norm),
  ]

  static let gguf: [Case] = [
    Case("token_embd.weight", 2, .embedding),
    Case("output.weight", 2, .head),
    Case("output_norm.weight", 1, .norm),
    Case("blk.2.attn_q.weight", 2, .attention),
    Case("blk.2.attn_output.weight", 2, .attention),
    Case("blk.2.attn_q.bias", 1, .bias),
    Case("blk.2.attn_norm.weight", 1, .norm),
    Case("blk.2.ffn_gate_inp.weight", 2, .router),
    Case("blk.2.ffn_gate_inp_shexp.weight", 1, .router),
    Case("blk.2.exp_probs_b.bias", 1, .router),
    Case("blk.2.ffn_gate_exps.weight", 3, .expert(layer: 2, expert: nil, matrix: .gate)),
    Case("blk.2.ffn_up_exps.weight", 3, .expert(layer: 2, expert: nil, matrix: .up)),
    Case("blk.2.ffn_down_exps.weight", 3, .expert(layer: 2, expert: nil, matrix: .down)),
    Case("blk.2.ffn_down_exps.bias", 2, .expertBias(layer: 2, expert: nil)),
    Case("blk.2.ffn_gate_shexp.weight", 2, .linear),
    Case("blk.2.ffn_down.weight", 2, .linear),
    Case("blk.2.attn_sinks.weight", 1, .other),
    Case("rope_freqs.weight", 1, .other),
  ]

  static let others: [Case] = [
    Case("transformer.h.0.attn.c_attn.weight", 2, .attention),
    Case("transformer.wte.weight", 2, .embedding),
    Case("transformer.h.0.ln_1.bias", 1, .norm),
    Case("encoder.layer.0.attention.output.dense.weight", 2, .attention),
    Case("encoder.layer.0.output.dense.weight", 2, .linear),
    Case("", 0, .other),
    Case("...", 2, .linear),
    Case("model.layers.x.mlp.experts.0.w1.weight", 2, .linear),
    Case("model.layers.1.mlp.experts.99999999999999999999.w1.weight", 2, .linear),
    Case("model.layers.1.mlp.experts", 2, .linear),
    Case("experts.0.w1.weight", 2, .linear),
  ]

  @Test(arguments: mixtral + qwen + deepSeek + gptOSS + olmoe + gguf + others)
  func rolesOfNames(_ sample: Case) {
    #expect(TensorRole(name: sample.name, rank: sample.rank) == sample.role)
  }

  @Test func aMatrixOfAnotherRankIsNoExpert() {
    #expect(TensorRole(name: "model.layers.0.mlp.experts.gate_up_proj", rank: 2) == .linear)
    #expect(TensorRole(name: "model.layers.0.mlp.experts.0.w1.weight", rank: 1) == .other)
  }
}
