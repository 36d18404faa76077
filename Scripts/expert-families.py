#!/usr/bin/env python3
"""Packs made families of experts and prints what centroids save beside what the formula says.

    expert-families.py [--bale .build/release/bale] [--loss 0.01] [--counts 8,64] [--correlations 0.3,0.9,0.95,0.98]

The experts of a family are Gaussian, each pair with the same correlation: sqrt(c) times what all share plus sqrt(1 - c)
times their own. Each family is packed by `bale pack --dedupe-experts --max-loss`; so is one of correlation 0, which
declines centroids and is stored in the same encoding alone. The saving is the difference of the bits a weight, counted
from the files (expert-curve.py), half the binary logarithm of the errors' ratio added. The ideal is
-log2 det R / 2N = -(log2(1 + (N - 1) c) + (N - 1) log2(1 - c)) / 2N: no code of Gaussian weights saves more.
"""
import argparse
import importlib.util
import math
import os
import subprocess
import tempfile

import numpy as np
from safetensors.numpy import save_file

HERE = os.path.dirname(os.path.abspath(__file__))
SPEC = importlib.util.spec_from_file_location("curve", os.path.join(HERE, "expert-curve.py"))
curve = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(curve)


def family(count, correlation, neurons, width, path):
    """Writes one layer with Mixtral's names."""
    random = np.random.default_rng(count)
    tensors = {"model.layers.0.block_sparse_moe.gate.weight": random.normal(size=(count, width)).astype(np.float32)}
    for name, shape in (("w1", (neurons, width)), ("w3", (neurons, width)), ("w2", (width, neurons))):
        shared = random.normal(size=shape)
        for expert in range(count):
            values = math.sqrt(correlation) * shared + math.sqrt(1 - correlation) * random.normal(size=shape)
            tensors["model.layers.0.block_sparse_moe.experts.%d.%s.weight" % (expert, name)] = (
                values * 0.02).astype(np.float32)
    save_file(tensors, path)


def packed(arguments, count, correlation, neurons, width):
    """Bits a weight and relative squared error."""
    with tempfile.TemporaryDirectory() as folder:
        model, output = os.path.join(folder, "model.safetensors"), os.path.join(folder, "out.bale")
        family(count, correlation, neurons, width, model)
        command = [arguments.bale, "pack", model, output, "--recipe", "mxfp4-experts", "--dedupe-experts", "--quiet"]
        subprocess.run(command + ["--max-loss", str(arguments.loss)], check=True)
        return curve.counted(output)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bale", default=os.path.join(HERE, "..", ".build", "release", "bale"))
    parser.add_argument("--loss", type=float, default=0.01)
    parser.add_argument("--counts", default="8,64")
    parser.add_argument("--correlations", default="0.3,0.9,0.95,0.98")
    parser.add_argument("--weights", type=int, default=1 << 20, help="of a matrix of eight experts together")
    arguments = parser.parse_args()
    print("| experts | correlation | bits alone | bits | saved | ideal | share |\n|---|---|---|---|---|---|---|")
    for count in map(int, arguments.counts.split(",")):
        width = int(math.sqrt(arguments.weights / count / 2)) // 32 * 32
        plain_bits, plain_error = packed(arguments, count, 0, 2 * width, width)
        for c in map(float, arguments.correlations.split(",")):
            bits, error = packed(arguments, count, c, 2 * width, width)
            saved = plain_bits - bits + 0.5 * math.log2(plain_error / error)
            ideal = -(math.log2(1 + (count - 1) * c) + (count - 1) * math.log2(1 - c)) / (2 * count)
            row = (count, c, plain_bits, bits, saved, ideal, saved / ideal)
            print("| %d | %g | %.3f | %.3f | %.3f | %.3f | %.2f |" % row, flush=True)


if __name__ == "__main__":
    main()
