#!/usr/bin/env python3
"""Dequantizes the same tensors to BF16 by Bale and by the library of each layout, in turns, on two cores.

    out/layout-libraries/bin/python Scripts/layouts/bench.py [--bench Benchmarks/.build/release/bench] [--rounds 5]

Bale's time is that of the benchmark section `layouts`: reading the file, which is in memory (WORK, /dev/shm), and
decoding it. With --bale PROGRAM it is that of the whole command `bale convert --dequantize bf16` besides, which also
starts and writes the result there. A library's time is that of its function alone, on tensors that are in memory
already, with two threads. The least of all rounds counts, of wall and of processor time each.
"""
import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time

import numpy
import torch
from safetensors import safe_open
from safetensors.torch import save_file

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import libraries

ROWS, COLUMNS, GROUP = 4096, 14336, 128


def words(generator, *shape):
    return torch.from_numpy(generator.integers(-2**31, 2**31, shape, dtype=numpy.int64).astype(numpy.int32))


def scales(generator, *shape):
    return torch.from_numpy(generator.uniform(0.001, 0.02, shape).astype(numpy.float16))


def gptq(generator):
    config = {"quant_method": "gptq", "bits": 4, "group_size": GROUP, "desc_act": False, "checkpoint_format": "gptq_v2"}
    tensors = {
        "fc.qweight": words(generator, COLUMNS // 8, ROWS),
        "fc.qzeros": words(generator, COLUMNS // GROUP, ROWS // 8),
        "fc.scales": scales(generator, COLUMNS // GROUP, ROWS),
        "fc.g_idx": (torch.arange(COLUMNS) // GROUP).to(torch.int32),
    }
    layer = libraries.gptq({name[3:]: value for name, value in tensors.items()}, group=GROUP, version_2=True)
    return tensors, config, lambda: layer.dequantize_weight().T.to(torch.bfloat16)


def awq(generator):
    config = {"quant_method": "awq", "bits": 4, "group_size": GROUP, "zero_point": True, "version": "gemm"}
    tensors = {
        "fc.qweight": words(generator, COLUMNS, ROWS // 8),
        "fc.qzeros": words(generator, COLUMNS // GROUP, ROWS // 8),
        "fc.scales": scales(generator, COLUMNS // GROUP, ROWS),
    }
    run = libraries.awq({name[3:]: value for name, value in tensors.items()}, group=GROUP)
    return tensors, config, lambda: run().T.to(torch.bfloat16)


def normal_float(generator, nested):
    import bitsandbytes.functional as functional

    values = torch.from_numpy(generator.standard_normal((ROWS, COLUMNS), dtype=numpy.float32)).to(torch.bfloat16)
    packed, state = functional.quantize_4bit(values, quant_type="nf4", blocksize=64, compress_statistics=nested)
    tensors = {"fc.weight": packed} | {f"fc.weight.{key}": value for key, value in state.as_dict(packed=True).items()}
    config = {"quant_method": "bitsandbytes", "load_in_4bit": True, "bnb_4bit_quant_type": "nf4"}
    return tensors, config, libraries.bitsandbytes(tensors, "fc.weight")


def mxfp4(generator):
    shape = (8, 5760, 90)
    blocks = torch.from_numpy(generator.integers(0, 256, (*shape, 16), dtype=numpy.uint8))
    exponents = torch.from_numpy(generator.integers(110, 130, shape, dtype=numpy.uint8))
    prefix = "model.layers.0.mlp.experts.gate_up_proj"
    tensors = {f"{prefix}_blocks": blocks, f"{prefix}_scales": exponents}
    return tensors, {"quant_method": "mxfp4"}, libraries.mxfp4(blocks, exponents)


LAYOUTS = {
    "GPTQ 4-bit": (gptq, "gptqmodel"),
    "AWQ GEMM": (awq, "autoawq"),
    "bitsandbytes NF4": (lambda generator: normal_float(generator, False), "bitsandbytes"),
    "bitsandbytes NF4, double": (lambda generator: normal_float(generator, True), "bitsandbytes"),
    "gpt-oss MXFP4": (mxfp4, "transformers"),
}


def bale_once(program, source, target):
    """Wall and processor seconds of one conversion."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    subprocess.run([program, "convert", source, target, "--dequantize", "bf16", "--threads", "2", "--quiet"], check=True)
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def decode_once(program, source):
    """Wall and processor seconds of decoding alone."""
    output = subprocess.run(
        [program, "--json", "--runs", "3", "layouts"], env=os.environ | {"BALE_BENCH_LAYOUTS": source}, check=True,
        capture_output=True, text=True).stdout
    return tuple(row["value"] / 1000 for row in json.loads(output))


def library_once(run):
    before = time.process_time()
    start = time.perf_counter()
    value = run()
    return time.perf_counter() - start, time.process_time() - before, value


def difference(target, value):
    """How far Bale's values are from the library's, relative to the largest."""
    with safe_open(target, framework="pt") as file:
        own = file.get_tensor(next(iter(file.keys())))
    if own.shape != value.shape:
        value = value.transpose(-1, -2)
    if torch.equal(own, value):
        return "same bits"
    own, value = own.float(), value.float()
    return f"differ by {((own - value).abs().max() / value.abs().max()).item():.1e}"


def measure(make, arguments, work):
    """Bytes of BF16; the least wall and processor seconds of decoding, the library and the command; equality."""
    tensors, config, run = make(numpy.random.default_rng(4))
    source, target = f"{work}/model", f"{work}/plain.safetensors"
    os.mkdir(source)
    save_file({key: value.contiguous() for key, value in tensors.items()}, f"{source}/model.safetensors")
    with open(f"{source}/config.json", "w") as file:
        json.dump({"quantization_config": config}, file)
    own, theirs, command, same = [], [], [], "-"
    for _ in range(arguments.rounds):
        own.append(decode_once(arguments.bench, source))
        *times, value = library_once(run)
        theirs.append(times)
        if arguments.bale:
            command.append(bale_once(arguments.bale, source, target))
            same = difference(target, value)
            os.remove(target)
    return value.numel() * 2, [[min(column) for column in zip(*runs)] for runs in (own, theirs, command)], same


def seconds(times):
    return f"{times[0]:.3f} ({times[1]:.3f})" if times else "-"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bench", default="Benchmarks/.build/release/bench")
    parser.add_argument("--bale")
    parser.add_argument("--work", default="/dev/shm")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="", help="layouts whose names hold this")
    arguments = parser.parse_args()
    torch.set_num_threads(2)
    print("| layout | library | Bale decodes, s (CPU) | library, s (CPU) | GB/s of BF16 | times as fast (CPU) "
          "| `bale convert`, s (CPU) | values |")
    print("|---|---|---|---|---|---|---|---|")
    for name, (make, package) in LAYOUTS.items():
        if arguments.only not in name:
            continue
        with tempfile.TemporaryDirectory(dir=arguments.work) as work:
            try:
                size, (own, theirs, command), same = measure(make, arguments, work)
            except ImportError as error:
                print(f"| {name} | {package} can't be imported: {error} |")
                continue
        print(
            f"| {name} | {package} {libraries.version(package)} | {seconds(own)} | {seconds(theirs)} "
            f"| {size / own[0] / 1e9:.1f} | {theirs[0] / own[0]:.1f} ({theirs[1] / own[1]:.1f}) | {seconds(command)} "
            f"| {same} |", flush=True)


if __name__ == "__main__":
    main()
