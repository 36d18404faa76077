#!/usr/bin/env python3
"""Measures the peak memory of `bale` on one stored expert tensor of so many GiB, beside that on one sixteenth of it.

    python3 Scripts/layouts/memory.py [--bale .build/release/bale] [--work out/memory] [--gib 2]

Of each layout (gpt-oss MXFP4 blocks, GPTQ) a checkpoint of random codes is made, and packed and dequantized. The peak
is VmHWM of the process, which doesn't count the page cache.
"""
import argparse
import json
import os
import shutil
import struct
import subprocess
import time

PIECE = 1 << 26


def write(path, tensors):
    """A safetensors file of random bytes, or of given ones. `tensors`: name, dtype, shape, bytes or how many."""
    header, offset = {}, 0
    for name, dtype, shape, content in tensors:
        count = content if isinstance(content, int) else len(content)
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [offset, offset + count]}
        offset += count
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    noise = os.urandom(PIECE)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for *_, content in tensors:
            if not isinstance(content, int):
                file.write(content)
                continue
            for start in range(0, content, PIECE):
                file.write(noise[:min(PIECE, content - start)])


def mxfp4(size):
    """Experts of 5760 rows of 2880 columns, as gpt-oss has."""
    experts = max(size // (5760 * 90 * 16), 1)
    blocks, scales = experts * 5760 * 90 * 16, experts * 5760 * 90
    prefix = "model.layers.0.mlp.experts.gate_up_proj"
    return [
        (f"{prefix}_blocks", "U8", [experts, 5760, 90, 16], blocks),
        (f"{prefix}_scales", "U8", [experts, 5760, 90], bytes([120]) * scales),
    ], {"quant_method": "mxfp4"}


def gptq(size):
    """One matrix with 32768 outputs."""
    outputs, group = 32768, 128
    inputs = max(size * 2 // outputs // group, 1) * group
    index = b"".join(struct.pack("<i", column // group) for column in range(inputs))
    groups = inputs // group
    return [
        ("fc.qweight", "I32", [inputs // 8, outputs], inputs * outputs // 2),
        ("fc.qzeros", "I32", [groups, outputs // 8], groups * outputs // 2),
        ("fc.scales", "F16", [groups, outputs], struct.pack("<e", 0.01) * groups * outputs),
        ("fc.g_idx", "I32", [inputs], index),
    ], {"quant_method": "gptq", "bits": 4, "group_size": group, "desc_act": False, "checkpoint_format": "gptq_v2"}


def peak(command):
    """Seconds and MiB: VmHWM of a process, read until it ends."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    most = 0
    while process.poll() is None:
        try:
            with open(f"/proc/{process.pid}/status") as file:
                found = [line.split()[1] for line in file if line.startswith("VmHWM")]
        except (FileNotFoundError, ProcessLookupError):
            found = []
        most = max([most] + [int(text) for text in found])
        time.sleep(0.01)
    if process.returncode:
        raise SystemExit(f"{command} failed")
    return time.perf_counter() - start, most / 1024


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bale", default=".build/release/bale")
    parser.add_argument("--work", default="out/memory")
    parser.add_argument("--gib", type=float, default=2)
    arguments = parser.parse_args()
    print("| layout | stored tensor | `pack`, peak | `convert --dequantize bf16`, peak |\n|---|---|---|---|")
    for name, make in [("gpt-oss MXFP4", mxfp4), ("GPTQ 4-bit", gptq)]:
        for share in [1 / 16, 1]:
            size = int(arguments.gib * 2**30 * share)
            source = f"{arguments.work}/model"
            os.makedirs(source)
            tensors, config = make(size)
            write(f"{source}/model.safetensors", tensors)
            with open(f"{source}/config.json", "w") as file:
                json.dump({"model_type": "gpt_oss", "quantization_config": config}, file)
            cells = []
            for command, target in [
                (["pack", source, f"{arguments.work}/packed.bale"], "packed.bale"),
                (["convert", source, f"{arguments.work}/plain.safetensors", "--dequantize", "bf16"],
                 "plain.safetensors"),
            ]:
                seconds, mebibytes = peak([arguments.bale, *command, "--threads", "2", "--quiet"])
                os.remove(f"{arguments.work}/{target}")
                cells.append(f"{mebibytes:.0f} MiB ({seconds:.0f} s)")
            shutil.rmtree(source)
            print(f"| {name} | {size / 2**20:.0f} MiB | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
