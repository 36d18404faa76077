#!/usr/bin/env python3
"""Collects calibration statistics of a Hugging Face model for `bale pack --calibration` (specs/calibration.md).

    collect_hessians.py MODEL TEXT OUT.safetensors [--tokens 131072] [--window 2048] [--diagonal] [--only REGEX]

Runs MODEL (a directory or a name) over TEXT, a UTF-8 file, in windows, and writes for each linear weight NAME the mean
of x x^T over its inputs x as NAME.hessian (F32 [inputs, inputs], or NAME.diagonal with --diagonal), and the number of
tokens as NAME.count. Experts count the tokens that reach them, if they are modules of their own; experts fused in
one parameter are not seen. One window is in memory at a time; a sum takes inputs * inputs * 4 bytes, on the weight's device, so --only
lets a large model be done in parts.
Needs: torch, transformers, safetensors.
"""
import argparse
import re

import torch
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, AutoTokenizer


class Sums:
    """Running sums of x x^T, or of its diagonal, by the weight's name."""

    def __init__(self, diagonal):
        self.diagonal = diagonal
        self.sums = {}
        self.counts = {}

    def add(self, name, inputs):
        x = inputs.detach().reshape(-1, inputs.shape[-1]).float()
        if not len(x):
            return
        part = x.square().sum(0) if self.diagonal else x.T @ x
        if name in self.sums:
            self.sums[name] += part
        else:
            self.sums[name] = part
        self.counts[name] = self.counts.get(name, 0) + len(x)

    def tensors(self):
        suffix = ".diagonal" if self.diagonal else ".hessian"
        result = {}
        for name, total in self.sums.items():
            result[name + suffix] = (total / self.counts[name]).cpu().contiguous()
            result[name + ".count"] = torch.tensor([self.counts[name]], dtype=torch.int64)
        return result


def watch(model, sums, wanted):
    """Hooks that add the inputs of every wanted linear module."""
    def hook(name):
        return lambda module, arguments: sums.add(name, arguments[0])

    watched = 0
    for name, module in model.named_modules():
        weight = name + ".weight"
        if isinstance(module, torch.nn.Linear) and wanted.search(weight):
            module.register_forward_pre_hook(hook(weight))
            watched += 1
    return watched


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("text")
    parser.add_argument("out")
    parser.add_argument("--tokens", type=int, default=131072)
    parser.add_argument("--window", type=int, default=2048)
    parser.add_argument("--diagonal", action="store_true")
    parser.add_argument("--only", default=r"^(?!lm_head)")
    options = parser.parse_args()

    tokenizer = AutoTokenizer.from_pretrained(options.model)
    model = AutoModelForCausalLM.from_pretrained(options.model, dtype="auto", device_map="auto")
    model.eval()
    sums = Sums(options.diagonal)
    watched = watch(model, sums, re.compile(options.only))
    with open(options.text, encoding="utf-8") as file:
        ids = tokenizer(file.read(), return_tensors="pt").input_ids[0][:options.tokens]
    device = model.get_input_embeddings().weight.device
    with torch.inference_mode():
        for start in range(0, len(ids), options.window):
            model(ids[start:start + options.window].unsqueeze(0).to(device), use_cache=False)
            print(f"\r{min(start + options.window, len(ids))} of {len(ids)} tokens", end="", flush=True)
    print(f"\n{watched} linear modules, {len(sums.sums)} reached; fewest tokens: {min(sums.counts.values(), default=0)}")
    save_file(sums.tensors(), options.out)


if __name__ == "__main__":
    main()
