#!/usr/bin/env python3
"""Makes mixes.json: the types that llama-quantize gives the tensors of models of several kinds.

    python3 make_mixes.py path/to/llama-quantize > mixes.json

Made with llama.cpp 0.5.0-dev (ggml 0.25.3) and gguf-py 0.19.0. Each model is a GGUF file of zeros; the types are what
`llama-quantize --dry-run` prints, one letter a tensor.
"""
import json, re, subprocess, sys, tempfile
import numpy as np
import gguf

TYPES = ["Q1_0", "Q2_0", "Q4_0", "Q4_1", "MXFP4_MOE", "Q5_0", "Q5_1", "TQ1_0", "TQ2_0", "Q2_K", "Q2_K_S", "Q3_K_S",
         "Q3_K_M", "Q3_K_L", "IQ4_NL", "IQ4_XS", "Q4_K_S", "Q4_K_M", "Q5_K_S", "Q5_K_M", "Q6_K", "Q8_0", "F16", "BF16",
         "F32"]


def layers(count, parts):
    return [(f"blk.{i}.{name}", shape) for i in range(count) for name, shape in parts]


ATTENTION = [("attn_q.weight", [8, 256]), ("attn_k.weight", [8, 256]), ("attn_v.weight", [8, 256]),
             ("attn_output.weight", [8, 256]), ("attn_norm.weight", [256])]
DENSE = [("ffn_gate.weight", [8, 256]), ("ffn_up.weight", [8, 256]), ("ffn_down.weight", [8, 256])]


def experts(count):
    return [("ffn_gate_inp.weight", [count, 256]), ("ffn_gate_exps.weight", [count, 4, 256]),
            ("ffn_up_exps.weight", [count, 4, 256]), ("ffn_down_exps.weight", [count, 4, 256]),
            ("ffn_down_shexp.weight", [4, 256])]


ENDS = [("token_embd.weight", [16, 256]), ("output_norm.weight", [256]), ("output.weight", [16, 256])]
ODD = [(f"blk.0.{n}.weight", [4, c]) for n, c in [("attn_q", 192), ("attn_k", 48), ("attn_v", 96), ("ffn_down", 64),
                                                  ("ffn_up", 320), ("attn_output", 128)]]

# name: (architecture, layers, heads, heads of keys and values, experts, tensors)
MODELS = {
    "dense, four heads a group": ("llama", 24, 8, 2, 0, ENDS + layers(24, ATTENTION + DENSE)),
    "dense, tied": ("llama", 12, 4, 4, 0, ENDS[:2] + layers(12, ATTENTION + DENSE)),
    "eight experts": ("llama", 10, 8, 2, 8, ENDS + layers(10, ATTENTION + experts(8))),
    "sixteen experts": ("qwen3moe", 18, 8, 1, 16, ENDS + layers(18, ATTENTION + experts(16))),
    "70B": ("llama", 80, 64, 8, 0, ENDS + layers(80, [ATTENTION[2], ATTENTION[3], DENSE[2]])),
    "falcon": ("falcon", 32, 8, 1, 0, ENDS + layers(32, [("attn_qkv.weight", [8, 256]), ATTENTION[3], DENSE[2]])),
    "odd rows": ("llama", 1, 8, 8, 0, [("token_embd.weight", [4, 96]), ("output.weight", [4, 192])] + ODD),
    "latent attention": ("deepseek2", 8, 4, 4, 4, ENDS + layers(8, [
        ("attn_kv_a_mqa.weight", [8, 256]), ("attn_kv_b.weight", [8, 256]), ("attn_q_a.weight", [8, 256]),
        ("attn_output.weight", [8, 256]), ("ffn_gate_tid2eid.weight", [4, 256])] + experts(4))),
}


def write(path, model):
    architecture, blocks, heads, groups, experts, tensors = model
    w = gguf.GGUFWriter(path, architecture)
    keys = {"block_count": blocks, "context_length": 64, "embedding_length": 256, "feed_forward_length": 256,
            "attention.head_count": heads, "attention.head_count_kv": groups, "rope.dimension_count": 32,
            "vocab_size": 16, "leading_dense_block_count": 0, "attention.q_lora_rank": 8, "attention.kv_lora_rank": 8,
            "expert_feed_forward_length": 4, "expert_shared_count": 1, "attention.key_length": 32,
            "attention.value_length": 32}
    if experts:
        keys |= {"expert_count": experts, "expert_used_count": 2}
    for key, value in keys.items():
        w.add_uint32(f"{architecture}.{key}", value)
    for key in ["attention.layer_norm_rms_epsilon", "attention.layer_norm_epsilon", "expert_weights_scale"]:
        w.add_float32(f"{architecture}.{key}", 1e-5)
    for name, shape in tensors:
        w.add_tensor(name, np.zeros(shape, np.float32 if "norm" in name or "inp" in name else np.float16))
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


def dry_run(tool, path, kind, more):
    out = subprocess.run([tool, *more, "--dry-run", path, kind], capture_output=True, text=True)
    text = out.stdout + out.stderr
    found = {}
    for name, old, new in re.findall(r"\]\s+(\S+)\s+- \[.*?\], type =\s+(\w+), size = [^\n]*?MiB(?: ->[^\n]*\((\w+)\))?\n",
                                     text):
        found[name] = (new or old).upper()
    if out.returncode != 0:
        return None
    return found


def main():
    tool = sys.argv[1]
    result = []
    letters = {}
    for name, model in MODELS.items():
        with tempfile.NamedTemporaryFile(suffix=".gguf") as file:
            write(file.name, model)
            runs = {}
            for kind in TYPES:
                types = dry_run(tool, file.name, kind, [])
                if types is None:
                    runs[kind] = ""
                    continue
                assert set(types) == {n for n, _ in model[5]}, (name, kind, set(n for n, _ in model[5]) - set(types))
                runs[kind] = "".join(letters.setdefault(types[n], chr(97 + len(letters))) for n, _ in model[5])
        result.append({"name": name, "architecture": model[0], "layers": model[1], "heads": model[2],
                       "groups": model[3], "experts": model[4], "tensors": [[n, s] for n, s in model[5]],
                       "types": runs})
    print(json.dumps({"letters": {v: k for k, v in letters.items()}, "models": result}, separators=(",", ":")))


main()
