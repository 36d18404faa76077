#!/usr/bin/env python3
"""Makes Tests/LayoutsTests/Goldens/legacy-spqr: a tiny model as SpQR's quantizer saves it (`--save`), random codes and
statistics, and the values that its loader's formulas give in torch.

    make-legacy-spqr-sample.py DIRECTORY

Needs: torch, safetensors.
"""
import os
import sys

import torch
from safetensors.torch import save_file

SIDE = 16


def lists(random, rows, columns, draw):
    return [draw(rows // SIDE) for _ in range(columns // SIDE)]


def module(random, rows, columns):
    def codes(count):
        return torch.randint(0, 8, (count, SIDE), generator=random).to(torch.int8)

    def halves(scale, shift):
        return lambda count: (torch.rand((count, 1), generator=random) * scale + shift).half()

    outliers = torch.where(torch.rand((rows, columns), generator=random) < 0.03,
                           torch.randn((rows, columns), generator=random), torch.tensor(0.0)).half()
    return {
        "quant_weights": torch.randint(0, 8, (rows, columns), generator=random).to(torch.int8),
        "quant_layer_scale": lists(random, rows, columns, codes),
        "quant_layer_zeros": lists(random, rows, columns, codes),
        "quant_layer_scale_qq_scale": lists(random, rows, columns, halves(0.01, 0.001)),
        "quant_layer_scale_qq_zero": lists(random, rows, columns, halves(1, -1.5)),
        "quant_layer_zero_qq_scale": lists(random, rows, columns, halves(0.5, 0.1)),
        "quant_layer_zero_qq_zero": lists(random, rows, columns, halves(3, -4)),
        "save_float_dtype": torch.float16,
        "outliers_matrix": outliers.to_sparse(),
        "perm": torch.randperm(columns, generator=random).to(torch.int32),
        "keep_last_columns": 0, "blocksize": 128, "weight_shape": torch.Size([rows, columns]), "groupsize": SIDE,
    }


def values(saved):
    """The formulas, every operation in half precision, outliers that aren't 0 in place of the dense values."""
    dense = []
    for group in range(saved["quant_weights"].shape[1] // SIDE):
        def level(codes, scale, zero):
            return saved[scale][group] * (saved[codes][group].to(torch.uint8) - saved[zero][group])

        scale = level("quant_layer_scale", "quant_layer_scale_qq_scale", "quant_layer_scale_qq_zero").reshape(-1, 1)
        zero = level("quant_layer_zeros", "quant_layer_zero_qq_scale", "quant_layer_zero_qq_zero").reshape(-1, 1)
        codes = saved["quant_weights"][:, group * SIDE:(group + 1) * SIDE].to(torch.uint8)
        dense.append((scale * (codes - zero)).float())
    outliers = saved["outliers_matrix"].to_dense().float()
    stored = torch.where(outliers != 0, outliers, torch.cat(dense, 1))
    return stored[:, torch.argsort(saved["perm"])].contiguous()


def main():
    random = torch.Generator().manual_seed(5)
    target = sys.argv[1]
    model = os.path.join(target, "model")
    expected = {}
    for layer in range(2):
        os.makedirs(os.path.join(model, str(layer)), exist_ok=True)
        for name, rows, columns in [("self_attn.q_proj", 32, 48), ("mlp.down_proj", 48, 32)]:
            saved = module(random, rows, columns)
            torch.save(saved, os.path.join(model, str(layer), name))
            expected[f"model.layers.{layer}.{name}.weight"] = values(saved)
    plain = {"model.norm.weight": torch.rand(32, generator=random).half(),
             "model.embed_tokens.weight": torch.randn(10, 32, generator=random).half()}
    torch.save(plain, os.path.join(model, "not_quantized_weights.pt"))
    torch.save({"wbits": 3, "qq_groupsize": SIDE, "groupsize": SIDE, "percdamp": 1.0, "load": None, "save": "x"},
               os.path.join(model, "args.pt"))
    expected |= {name: tensor.float() for name, tensor in plain.items()}
    save_file(expected, os.path.join(target, "expected.safetensors"))


if __name__ == "__main__":
    main()
