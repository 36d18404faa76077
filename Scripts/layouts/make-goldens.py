#!/usr/bin/env python3
"""Writes Tests/LayoutsTests/Goldens: small tensors as modelopt and AQLM store them, with what those libraries make of
them.

    out/layout-libraries/bin/python Scripts/layouts/make-goldens.py Tests/LayoutsTests/Goldens

Needs torch, safetensors, and `pip install --no-deps nvidia-modelopt aqlm`.
"""
import importlib.util
import json
import pathlib
import sys

import torch
from safetensors.torch import save_file


def source(package, path, names, **known):
    """Functions out of one file of a package that can't be imported as a whole, by their names."""
    import ast

    root = pathlib.Path(importlib.util.find_spec(package).origin).parent
    tree = ast.parse((root / path).read_text())
    chosen = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name in names]
    for node in chosen:
        node.decorator_list, node.returns = [], None
        for argument in node.args.args:
            argument.annotation = None
    space = {"torch": torch, "F": torch.nn.functional} | known
    exec(compile(ast.Module(chosen, []), path, "exec"), space)
    return [space[name] for name in names]


def save(folder, name, tensors, expected, config):
    save_file(tensors, folder / f"{name}.safetensors")
    save_file({"dequant_f32": expected.float().contiguous()}, folder / f"{name}.expected.safetensors")
    (folder / f"{name}.config.json").write_text(json.dumps({"quantization_config": config}, indent=1) + "\n")


def modelopt(folder):
    """INT4 by groups of 32: packed by modelopt's exporter; the product of its codes and scales, and with
    pre_quant_scale the weight whose product with any input is that of the stored weight with the scaled input."""
    pack, = source(
        "modelopt", "torch/export/quant_utils.py", ["pack_int4_in_uint8"], _validate_int4_block_size=lambda *_: None)
    torch.manual_seed(1)
    outputs, inputs, group = 12, 64, 32
    scales = torch.rand(outputs, inputs // group) * 0.02 + 0.001
    codes = torch.randint(-8, 8, (outputs, inputs))
    wide = scales.repeat_interleave(group, 1)
    weight = codes * wide
    factors = (torch.rand(inputs) + 0.5).to(torch.bfloat16)
    tensors = {"fc.weight": pack(weight, scales, group), "fc.weight_scale": scales}
    config = {"quant_method": "modelopt", "quant_algo": "W4A16_AWQ", "group_size": group}
    save(folder, "modelopt_int4", tensors, weight, config)
    save(folder, "modelopt_int4_scaled", tensors | {"fc.pre_quant_scale": factors}, weight * factors.float(), config)


def aqlm(folder):
    """One codebook of 2^9 vectors, and three of 2^5; both with F16 scales."""
    dequantize, = source("aqlm", "utils.py", ["_dequantize_weight"])
    torch.manual_seed(2)
    for books, bits, group, rows in [(1, 9, 8, 1), (3, 5, 4, 1), (2, 4, 4, 2)]:
        outputs, inputs = 6, 64
        codes = torch.randint(0, 2**bits, (outputs // rows, inputs // group, books))
        codebooks = torch.randn(books, 2**bits, rows, group).to(torch.float16)
        scales = (torch.rand(outputs // rows, 1, 1, 1) + 0.1).to(torch.float16)
        expected = dequantize(codes, codebooks.float(), scales.float())
        tensors = {
            "fc.codes": codes.to(torch.int16 if bits > 8 else torch.int8), "fc.codebooks": codebooks,
            "fc.scales": scales,
        }
        config = {
            "quant_method": "aqlm", "in_group_size": group, "out_group_size": rows, "num_codebooks": books,
            "nbits_per_codebook": bits,
        }
        save(folder, f"aqlm_{books}x{bits}" + ("_pairs" if rows == 2 else ""), tensors, expected, config)


if __name__ == "__main__":
    target = pathlib.Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    modelopt(target)
    aqlm(target)
