#!/usr/bin/env python3
"""Collects calibration statistics of a Hugging Face model for `bale pack --calibration` (specs/calibration.md).

    collect_hessians.py MODEL TEXT OUT.safetensors [--tokens 131072] [--window 2048] [--diagonal] [--only REGEX]

Runs MODEL (a directory or a name) over TEXT, a UTF-8 file, in windows, and writes for each linear weight NAME the mean
of x x^T over its inputs x as NAME.hessian (F32 [inputs, inputs], or NAME.diagonal with --diagonal), and the number of
tokens as NAME.count. Experts count the tokens that reach them; those of a fused parameter P.experts.Q are named
P.experts.0.Q, P.experts.1.Q and so on. One window is in memory at a time; a sum takes inputs * inputs * 4 bytes on the
weight's device, so --only lets a large model be done in parts.
Needs: torch, transformers, safetensors.
"""
import argparse
import re

import torch
from safetensors.torch import save_file
from torch.overrides import TorchFunctionMode
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


class Watcher(TorchFunctionMode):
    """Adds the inputs of every product with a wanted weight, or with a slice of a fused one."""

    def __init__(self, model, sums, wanted):
        super().__init__()
        self.sums = sums
        self.names = {}
        for name, weight in model.named_parameters():
            slices = [(name, weight)] if weight.dim() == 2 else []
            if weight.dim() == 3 and ".experts." in name:
                head, tail = name.rsplit(".experts.", 1)
                slices = [(f"{head}.experts.{index}.{tail}", part) for index, part in enumerate(weight)]
            self.names.update({part.data_ptr(): name for name, part in slices if wanted.search(name)})

    def __torch_function__(self, function, types, arguments=(), named=None):
        named = named or {}
        if function is torch.nn.functional.linear:
            inputs = arguments[0] if arguments else named["input"]
            weight = arguments[1] if len(arguments) > 1 else named["weight"]
            name = self.names.get(weight.data_ptr())
            if name is not None:
                self.sums.add(name, inputs)
        return function(*arguments, **named)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("text")
    parser.add_argument("out")
    parser.add_argument("--tokens", type=int, default=131072)
    parser.add_argument("--window", type=int, default=2048)
    parser.add_argument("--diagonal", action="store_true")
    parser.add_argument("--only", default=r"^(?!lm_head|.*embed)")
    options = parser.parse_args()

    tokenizer = AutoTokenizer.from_pretrained(options.model)
    model = AutoModelForCausalLM.from_pretrained(options.model, dtype="auto", device_map="auto")
    model.eval()
    sums = Sums(options.diagonal)
    if hasattr(model, "set_experts_implementation"):
        model.set_experts_implementation("eager")  # one product an expert, where it can be seen
    watcher = Watcher(model, sums, re.compile(options.only))
    with open(options.text, encoding="utf-8") as file:
        ids = tokenizer(file.read(), return_tensors="pt").input_ids[0][:options.tokens]
    device = model.get_input_embeddings().weight.device
    with torch.inference_mode(), watcher:
        for start in range(0, len(ids), options.window):
            model(ids[start:start + options.window].unsqueeze(0).to(device), use_cache=False)
            print(f"\r{min(start + options.window, len(ids))} of {len(ids)} tokens", end="", flush=True)
    unseen = sorted(set(watcher.names.values()) - sums.sums.keys())
    print(f"\n{len(sums.sums)} weights, the rarest reached by {min(sums.counts.values(), default=0)} tokens")
    for name in unseen:
        print("no tokens:", name)
    save_file(sums.tensors(), options.out)


if __name__ == "__main__":
    main()
