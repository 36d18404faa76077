#!/usr/bin/env python3
"""Makes the goldens of Tests/ArchitecturesTests/Goldens: tiny models of each family, converted by llama.cpp.

Usage: make-architecture-goldens.py LLAMA_CPP_DIR TOKENIZER_JSON OUTPUT_DIR [FAMILY...]

Needs torch, transformers (5.17.0 and 5.23.0 made the goldens) and llama.cpp's conversion package (gguf-py 0.19.0). A golden holds
config.json, the names and shapes of the checkpoint's tensors, the key-values without the tokenizer's, and for each
tensor of the GGUF file name, type, shape and SHA-256. The weights follow from a formula (`weights`), which the tests
repeat, so no weight is stored.
"""
import hashlib
import json
import pathlib
import shutil
import sys
import tempfile

BASE = dict(hidden_size=64, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
            vocab_size=512, max_position_embeddings=512, bos_token_id=1, eos_token_id=2, pad_token_id=None)
LLAMA3 = dict(rope_type="llama3", rope_theta=500000.0, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
              original_max_position_embeddings=8192)
YARN = dict(rope_type="yarn", rope_theta=10000.0, factor=40.0, beta_fast=32, beta_slow=1, mscale=0.707,
            mscale_all_dim=0.707, original_max_position_embeddings=4096)
LONG = dict(rope_type="longrope", rope_theta=10000.0, original_max_position_embeddings=128,
            long_factor=[1.0 + 0.25 * i for i in range(8)], short_factor=[1.0 + 0.0625 * i for i in range(8)])
MLA = dict(q_lora_rank=32, kv_lora_rank=32, qk_nope_head_dim=16, qk_rope_head_dim=16, v_head_dim=16,
           moe_intermediate_size=32, n_routed_experts=4, num_experts_per_tok=2, n_shared_experts=1,
           first_k_dense_replace=1, num_key_value_heads=4)

def packed(tensors):
    """gpt-oss's experts as it publishes them: codes and scales."""
    result = {}
    for name, (shape, dtype) in tensors.items():
        if name.endswith(("gate_up_proj", "down_proj")) and "experts" in name:
            experts, columns, rows = shape
            result[name + "_blocks"] = [experts, rows, columns // 32, 16], "U8"
            result[name + "_scales"] = [experts, rows, columns // 32], "U8"
        else:
            result[name] = shape, dtype
    return result


def with_next_token_layer(tensors):
    """A further layer like the last one, with what predicts the token after the next."""
    result = dict(tensors)
    for name, value in tensors.items():
        if name.startswith("model.layers.1."):
            result[name.replace("layers.1.", "layers.2.")] = value
    layer = "model.layers.2."
    for name, shape in [("eh_proj", [64, 128]), ("embed_tokens", [512, 64]), ("enorm", [64]), ("hnorm", [64]),
                        ("shared_head.head", [512, 64]), ("shared_head.norm", [64])]:
        result[f"{layer}{name}.weight"] = shape, "BF16"
    return result


def with_fused_experts(tensors):
    """A layer's experts in one tensor, as transformers keeps them in memory."""
    result = {}
    for name, (shape, dtype) in tensors.items():
        if ".experts." not in name:
            result[name] = shape, dtype
        elif ".experts.0.gate_proj" in name:
            fused = name.replace("0.gate_proj.weight", "gate_up_proj")
            result[fused] = [4, 2 * shape[0], shape[1]], dtype
        elif ".experts.0.down_proj" in name:
            result[name.replace("0.down_proj.weight", "down_proj")] = [4, *shape], dtype
    return result


def as_published(config):
    """A configuration as transformers 4 wrote it, which most published models still have."""
    config = {k: v for k, v in config.items() if k not in ("layer_types", "dtype")}
    rotary = config.pop("rope_parameters", None) or {}
    if "full_attention" in rotary:
        config["rope_local_base_freq"] = rotary["sliding_attention"]["rope_theta"]
        config["sliding_window_pattern"] = 6
        rotary = rotary["full_attention"]
    rotary = dict(rotary)
    config["rope_theta"] = rotary.pop("rope_theta")
    if "partial_rotary_factor" in rotary:
        config["partial_rotary_factor"] = rotary.pop("partial_rotary_factor")
    if rotary.get("rope_type", "default") != "default":
        kind = rotary.pop("rope_type")
        config["rope_scaling"] = {"rope_type" if kind == "llama3" else "type": kind, **rotary}
    if config["model_type"] in ("llama", "mixtral"):
        config.pop("head_dim", None)
    return {**config, "torch_dtype": "bfloat16", "transformers_version": "4.51.0"}


def weights(index, shape, dtype):
    """The tensor at `index` of the header: bytes, or BF16 bit patterns of numbers of both signs around 1/32."""
    import numpy as np
    count = int(np.prod(shape))
    elements = np.arange(count, dtype=np.int64)
    if dtype == "U8":
        return ((elements * 37 + index * 11) % 256).astype(np.uint8).reshape(shape)
    bits = 0x3C00 + (elements * 31 + index * 17) % 509
    return np.where(elements % 3 == 0, bits | 0x8000, bits).astype(np.uint16).reshape(shape)


YARN_GPT = dict(rope_type="yarn", rope_theta=150000.0, factor=32.0, beta_fast=32.0, beta_slow=1.0, truncate=False,
                original_max_position_embeddings=4096)
QWEN2_MOE = dict(num_experts=4, num_experts_per_tok=2, moe_intermediate_size=32, shared_expert_intermediate_size=48)
QWEN3_MOE = dict(num_experts=4, num_experts_per_tok=2, moe_intermediate_size=32, head_dim=16)

# Directory name, model_type, settings over BASE, and what is done to the tensors and to config.json.
FAMILIES = {
    "Llama-3.1-Tiny-8K-Instruct": ("llama", dict(head_dim=32, rope_parameters=LLAMA3, attention_bias=True)),
    "tiny-mistral-v0.3": ("mistral", dict(sliding_window=None)),
    "mixtral-8x1K": ("mixtral", dict(num_local_experts=3, num_experts_per_tok=2)),
    "qwen2-tied": ("qwen2", dict(tie_word_embeddings=True)),
    "Qwen1.5-MoE-Tiny": ("qwen2_moe", QWEN2_MOE),
    "Llama-3-Published": ("llama", dict(head_dim=16, rope_parameters=LLAMA3), None, as_published),
    "mixtral-published": ("mixtral", dict(num_local_experts=3), None, as_published),
    "qwen2-moe-published": ("qwen2_moe", QWEN2_MOE, None, as_published),
    "qwen3-moe-published": ("qwen3_moe", QWEN3_MOE, None, as_published),
    "olmoe-published": ("olmoe", dict(num_experts=4, num_experts_per_tok=2), None, as_published),
    "deepseek-v2-published": ("deepseek_v2", {**MLA, "rope_parameters": YARN, "scoring_func": "softmax"}, None,
                              as_published),
    "gpt-oss-published": ("gpt_oss", dict(num_local_experts=4, num_experts_per_tok=2, head_dim=32,
                                          rope_parameters=YARN_GPT), packed, as_published),
    "gemma-3-published": ("gemma3_text", dict(head_dim=16, sliding_window=64), None, as_published),
    "gemma-2-published": ("gemma2", dict(head_dim=32, sliding_window=64), None, as_published),
    "phi3-published": ("phi3", dict(rope_parameters=LONG, original_max_position_embeddings=128), None, as_published),
    "glm-4-moe-published": ("glm4_moe", dict(n_routed_experts=4, num_experts_per_tok=2, moe_intermediate_size=32,
                                             head_dim=16, first_k_dense_replace=1), None, as_published),
    "granite-moe-published": ("granitemoe", dict(num_local_experts=4, num_experts_per_tok=2), None, as_published),
    "qwen3": ("qwen3", dict(head_dim=32)),
    "Qwen3-MoE-Test": ("qwen3_moe", dict(num_experts=4, num_experts_per_tok=2, moe_intermediate_size=32, head_dim=16)),
    "qwen3-moe-fused": ("qwen3_moe", dict(num_experts=4, num_experts_per_tok=2, moe_intermediate_size=32),
                        with_fused_experts),
    "olmoe": ("olmoe", dict(num_experts=4, num_experts_per_tok=2)),
    "deepseek-v2-lite": ("deepseek_v2", {**MLA, "q_lora_rank": None, "rope_parameters": YARN,
                                         "scoring_func": "softmax", "topk_method": "greedy"}),
    "deepseek-v3": ("deepseek_v3", {**MLA, "n_group": 2, "topk_group": 1, "scoring_func": "sigmoid"}),
    "gpt-oss-mxfp4": ("gpt_oss", dict(num_local_experts=4, num_experts_per_tok=2, head_dim=32), packed),
    "gpt-oss": ("gpt_oss", dict(num_local_experts=4, num_experts_per_tok=2, head_dim=32, sliding_window=128)),
    "glm-4.5-air": ("glm4_moe", dict(n_routed_experts=4, num_experts_per_tok=2, moe_intermediate_size=32, head_dim=16,
                                     first_k_dense_replace=1, use_qk_norm=True, attention_bias=True,
                                     num_nextn_predict_layers=0)),
    "GLM-4.5-Next": ("glm4_moe", dict(n_routed_experts=4, num_experts_per_tok=2, moe_intermediate_size=32, head_dim=16,
                                      first_k_dense_replace=1, num_nextn_predict_layers=1), with_next_token_layer),
    "gemma-2-tiny": ("gemma2", dict(head_dim=16, sliding_window=64)),
    "gemma-3-tiny": ("gemma3_text", dict(head_dim=16, sliding_window=64)),
    "phi3-short": ("phi3", dict(original_max_position_embeddings=512, sliding_window=2047)),
    "phi3-long": ("phi3", dict(rope_parameters=LONG, original_max_position_embeddings=128)),
    "granite-moe": ("granitemoe", dict(num_local_experts=4, num_experts_per_tok=2, attention_multiplier=0.125,
                                       embedding_multiplier=12.0, residual_multiplier=0.22, logits_scaling=6.0)),
    "granite-moe-shared": ("granitemoeshared", dict(num_local_experts=4, num_experts_per_tok=2,
                                                    shared_intermediate_size=48)),
}


def header(path):
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    return json.loads(data[8:8 + length])


def make_model(directory, model_type, settings, edit=None, edit_config=None):
    import torch
    from safetensors.torch import save_file
    from transformers import AutoConfig, AutoModelForCausalLM
    config = AutoConfig.for_model(model_type, **{**BASE, **settings, "dtype": "bfloat16"})
    model = AutoModelForCausalLM.from_config(config).to(torch.bfloat16)
    model.save_pretrained(directory)
    (directory / "generation_config.json").unlink(missing_ok=True)
    path = directory / "model.safetensors"
    tensors = {k: (v["shape"], v["dtype"]) for k, v in header(path).items() if k != "__metadata__"}
    if edit:
        tensors = edit(tensors)
    types = {"BF16": torch.bfloat16, "U8": torch.uint8}
    save_file({name: torch.zeros(shape, dtype=types[dtype]) for name, (shape, dtype) in tensors.items()}, path)
    order = [name for name in header(path) if name != "__metadata__"]

    def values(index, name):
        array = weights(index, *tensors[name])
        return torch.from_numpy(array) if array.dtype == "uint8" else torch.from_numpy(array.view("int16")).view(
            torch.bfloat16)
    save_file({name: values(i, name) for i, name in enumerate(order)}, path)
    assert [name for name in header(path) if name != "__metadata__"] == order
    config = json.loads((directory / "config.json").read_text())
    if edit is packed:
        config["quantization_config"] = {"quant_method": "mxfp4"}
    if edit_config:
        config = edit_config(config)
    (directory / "config.json").write_text(json.dumps(config))
    return [[name, *tensors[name]] for name in order]


def convert(llama, directory, output):
    from conversion import ModelBase, get_model_architecture, get_model_class
    from conversion.base import ModelType
    import gguf
    import torch
    with torch.inference_mode():
        hparams = ModelBase.load_hparams(directory, False)
        cls = get_model_class(get_model_architecture(hparams, ModelType.TEXT))
        cls.set_vocab = lambda self: None
        cls(directory, gguf.LlamaFileType.MOSTLY_BF16, output).write()


def describe(path):
    from gguf import GGUFReader
    reader = GGUFReader(path)
    values = []
    for key, field in reader.fields.items():
        if not key.startswith(("GGUF.", "tokenizer.")):
            values.append([key, field.types[0].name if len(field.types) == 1 else "ARRAY", field.contents()])
    tensors = [[t.name, t.tensor_type.name, [int(n) for n in reversed(t.shape)],
                hashlib.sha256(t.data.tobytes()).hexdigest()] for t in reader.tensors]
    return values, tensors


def main():
    llama, tokenizer, output = map(pathlib.Path, sys.argv[1:4])
    chosen = sys.argv[4:] or FAMILIES
    sys.path[:0] = [str(llama / "gguf-py"), str(llama)]
    for name in chosen:
        model_type, settings, *edit = FAMILIES[name]
        with tempfile.TemporaryDirectory() as temporary:
            directory = pathlib.Path(temporary) / name
            directory.mkdir()
            tensors = make_model(directory, model_type, settings, *edit)
            shutil.copy(tokenizer, directory / "tokenizer.json")
            convert(llama, directory, pathlib.Path(temporary) / "model.gguf")
            values, outputs = describe(pathlib.Path(temporary) / "model.gguf")
            golden = dict(directory=name, config=json.loads((directory / "config.json").read_text()), tensors=tensors,
                          keyValues=values, output=outputs)
        lines = ["{"]
        for key, value in golden.items():
            if isinstance(value, list):
                body = ",\n".join("  " + json.dumps(item) for item in value)
                lines.append(f'"{key}": [\n{body}\n],')
            else:
                lines.append(f'"{key}": {json.dumps(value)},')
        lines[-1] = lines[-1].rstrip(",")
        (output / f"{name}.json").write_text("\n".join(lines + ["}"]) + "\n")
        print(name, len(tensors), "->", len(outputs))


if __name__ == "__main__":
    main()
