#!/usr/bin/env python3
"""Slow test: every layout that Bale writes, loaded by the library that it is for, on the CPU.

    out/layout-libraries/bin/python Scripts/layouts/check.py [MODEL] [--bale .build/release/bale]

MODEL (samples/tiny-mixtral) is written in each layout, and that written again as plain weights by Bale. Each module's
stored tensors, with the configuration that stands beside them, are given to the library, and its weights are compared
with Bale's bit for bit. A library that isn't installed is said so.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

import torch
from safetensors import safe_open

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import libraries


def tensors_of(folder):
    result = {}
    for name in sorted(os.listdir(folder)):
        if name.endswith(".safetensors"):
            with safe_open(f"{folder}/{name}", framework="pt") as file:
                result |= {key: file.get_tensor(key) for key in file.keys()}
    return result


def parts(tensors, module):
    """The tensors of a module by their own names."""
    return {key[len(module) + 1:]: value for key, value in tensors.items() if key.startswith(module + ".")}


def gptq(tensors, module, config):
    layer = libraries.gptq(
        parts(tensors, module), bits=config["bits"], group=config["group_size"],
        version_2=config["checkpoint_format"] == "gptq_v2")
    return layer.dequantize_weight().T


def awq(tensors, module, config):
    return libraries.awq(parts(tensors, module), bits=config["bits"], group=config["group_size"])().T


def compressed(tensors, module, config):
    from compressed_tensors.compressors.base import BaseCompressor
    from compressed_tensors.quantization import QuantizationConfig

    scheme, = QuantizationConfig.model_validate(config).config_groups.values()
    compressor = BaseCompressor.get_value_from_registry(config["format"])
    return compressor.decompress(parts(tensors, module), scheme)["weight"]


def mlx(tensors, module, config):
    import mlx.core as mx
    import numpy

    own = parts(tensors, module)
    words = mx.array(own["weight"].view(torch.int32).numpy()).view(mx.uint32)
    scales, biases = (
        mx.array(own[name].view(torch.int16).numpy()).view(mx.bfloat16) for name in ["scales", "biases"])
    value = mx.dequantize(words, scales, biases, group_size=config["group_size"], bits=config["bits"])
    return torch.from_numpy(numpy.array(value.astype(mx.float32))).to(torch.bfloat16)


def bitsandbytes(tensors, module, config):
    weight = f"{module}.weight"
    own = {key: value for key, value in tensors.items() if key == weight or key.startswith(weight + ".")}
    return libraries.bitsandbytes(own, weight)()


def block_fp8(tensors, module, config):
    from transformers.integrations.finegrained_fp8 import Fp8Dequantize

    own = parts(tensors, module)
    return Fp8Dequantize(None)._dequantize_one(own["weight"], own["weight_scale_inv"], torch.bfloat16)


def bitnet(tensors, module, config):
    os.environ["TORCHDYNAMO_DISABLE"] = "1"
    from transformers.integrations.bitnet import unpack_weights

    assert config["linear_class"] == "autobitlinear"
    own = parts(tensors, module)
    return unpack_weights(own["weight"], torch.bfloat16) * own["weight_scale"]


# Layout: what it is written from, what names a module, which values Bale is asked for, and the library.
LAYOUTS = {
    "gptq": (["--quantize", "int4:group=32"], ".qweight", ["f16"], gptq, "gptqmodel"),
    "awq": (["--quantize", "int4:group=32"], ".qweight", ["f16"], awq, "autoawq"),
    "compressed-tensors": (
        ["--quantize", "int4:group=32,scale=BF16"], ".weight_packed", ["bf16"], compressed, "compressed-tensors"),
    "mlx": ([], ".scales", ["bf16", "--arithmetic", "library"], mlx, "mlx"),
    "bnb-nf4": ([], ".weight.absmax", ["bf16"], bitsandbytes, "bitsandbytes"),
    "compressed-tensors-fp8": ([], ".weight_scale", ["bf16"], compressed, "compressed-tensors"),
    "compressed-tensors-mxfp4": ([], ".weight_packed", ["bf16"], compressed, "compressed-tensors"),
    "compressed-tensors-nvfp4": ([], ".weight_packed", ["bf16"], compressed, "compressed-tensors"),
    "bitnet": ([], ".weight_scale", ["bf16"], bitnet, "transformers"),
    "fp8-block": ([], ".weight_scale_inv", ["bf16"], block_fp8, "transformers"),
}


def check(layout, bale, model, work):
    """Modules that the library reads, and those whose values differ."""
    written, plain = f"{work}/written", f"{work}/plain"
    options, suffix, values, load, _ = LAYOUTS[layout]
    subprocess.run([bale, "convert", model, written, "--layout", layout, *options, "--quiet"], check=True)
    subprocess.run([bale, "convert", written, plain, "--dequantize", *values, "--quiet"], check=True)
    with open(f"{written}/config.json") as file:
        config = json.load(file)["quantization_config"]
    tensors, own = tensors_of(written), tensors_of(plain)
    modules = [key[:-len(suffix)] for key in tensors if key.endswith(suffix)]
    differ = []
    for module in modules:
        found, wanted = load(tensors, module, config), own[f"{module}.weight"]
        if found.dtype != wanted.dtype:
            found = found.to(wanted.dtype)
        if not torch.equal(found, wanted):
            distance = (found.float() - wanted.float()).abs().max().item()
            differ.append(f"{module} by {distance:.2g}")
    return modules, differ


def write(bale, source, written, plain, layout, values="bf16"):
    subprocess.run([bale, "convert", source, written, "--layout", layout, "--quiet"], check=True)
    subprocess.run([bale, "convert", written, plain, "--dequantize", values, "--quiet"], check=True)


def check_gpt_oss(bale, work):
    """A small gpt-oss with random weights, saved by transformers; the whole model is loaded from what Bale writes."""
    from transformers import GptOssConfig, GptOssForCausalLM, Mxfp4Config

    torch.manual_seed(4)
    config = GptOssConfig(
        vocab_size=64, hidden_size=64, intermediate_size=96, num_hidden_layers=2, num_local_experts=4,
        num_experts_per_tok=2, num_attention_heads=4, num_key_value_heads=2, head_dim=16, pad_token_id=0)
    model = GptOssForCausalLM(config).to(torch.bfloat16)
    model.save_pretrained(f"{work}/model")
    write(bale, f"{work}/model", f"{work}/written", f"{work}/plain", "gpt-oss-mxfp4")
    loaded = GptOssForCausalLM.from_pretrained(
        f"{work}/written", dtype=torch.bfloat16, quantization_config=Mxfp4Config(dequantize=True))
    own, found = tensors_of(f"{work}/plain"), loaded.state_dict()
    assert set(own) <= set(found), set(own) - set(found)
    output = loaded(torch.arange(8)[None]).logits
    assert output.isfinite().all()
    return list(own), [name for name in own if not torch.equal(own[name], found[name])]


def check_act_order(bale, work):
    """A module of GPTQ whose inputs are in an order of their own, written again."""
    from safetensors.torch import save_file

    torch.manual_seed(4)
    rows, columns, group = 64, 256, 32
    words = lambda *shape: torch.randint(-2**31, 2**31, shape, dtype=torch.int64).to(torch.int32)
    tensors = {
        "fc.qweight": words(columns // 8, rows), "fc.qzeros": words(columns // group, rows // 8),
        "fc.scales": (torch.rand(columns // group, rows) * 0.02 + 0.001).half(),
        "fc.g_idx": (torch.randperm(columns) // group).to(torch.int32),
    }
    config = {
        "quant_method": "gptq", "bits": 4, "group_size": group, "desc_act": True, "checkpoint_format": "gptq_v2"}
    os.mkdir(f"{work}/model")
    save_file(tensors, f"{work}/model/model.safetensors")
    with open(f"{work}/model/config.json", "w") as file:
        json.dump({"quantization_config": config}, file)
    write(bale, f"{work}/model", f"{work}/written", f"{work}/plain", "gptq", "f16")
    with open(f"{work}/written/config.json") as file:
        config = json.load(file)["quantization_config"]
    assert config["desc_act"] and config["group_size"] == group, config
    found = gptq(tensors_of(f"{work}/written"), "fc", config)
    return ["fc"], [] if torch.equal(found, tensors_of(f"{work}/plain")["fc.weight"]) else ["fc"]


# What is written from a model of its own.
MODELS = {
    "gpt-oss-mxfp4": (check_gpt_oss, "transformers"),
    "gptq with act-order": (check_act_order, "gptqmodel"),
}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model", nargs="?", default="samples/tiny-mixtral")
    parser.add_argument("--bale", default=".build/release/bale")
    parser.add_argument("--only", default="", help="layouts whose names hold this")
    arguments = parser.parse_args()
    failed = False
    checks = {
        name: (lambda work, name=name: check(name, arguments.bale, arguments.model, work), package)
        for name, (*_, package) in LAYOUTS.items()}
    checks |= {
        name: (lambda work, run=run: run(arguments.bale, work), package) for name, (run, package) in MODELS.items()}
    for layout, (run, package) in checks.items():
        if arguments.only not in layout:
            continue
        with tempfile.TemporaryDirectory() as work:
            try:
                modules, differ = run(work)
            except ImportError as error:
                print(f"{layout}: not checked, {package} can't be imported ({error})", flush=True)
                continue
        failed |= bool(differ) or not modules
        result = "all weights the same" if not differ else f"{len(differ)} DIFFER: {', '.join(differ[:3])}"
        print(f"{layout}: {len(modules)} modules by {package} {libraries.version(package)}, {result}", flush=True)
    sys.exit(failed)


if __name__ == "__main__":
    main()
