#!/usr/bin/env python3
"""Packs a model at about 4.6, 4.2, 3.6, 3.2 and 2.6 bits a weight, rounded to nearest and by the solvers, has the
perplexity of each measured, and prints the table of Benchmarks/calibration.md.

    calibration-table.py MODEL STATS.safetensors --perplexity 'COMMAND {} ...' [--bale .build/release/bale]
                         [--results out/NAME.jsonl] [--sizes 4.6 3.6] [--methods rtn gptq]

COMMAND measures a directory of safetensors, whose path takes the place of {}, and prints a JSON object with "ppl" last.
It should measure other text than STATS was collected from. Each result is added to the results file, and what is there
already isn't run again.

Methods: `rtn`, the same tiles for all matrices, rounded to nearest with searched scales; `gptq`, the same encoding,
solved; `spqr`, coarser tiles, and outliers up to the same bits; `mixed`, more bits for attention and coarser tiles for
the experts, in no more bits, solved; `rtn-mixed`, the same encodings rounded to nearest; `spqr-mixed`, the same with
outliers in what is left of the bits.
"""
import argparse
import glob
import json
import os
import struct
import subprocess
import sys
import tempfile

# By size: the most bits; tiles for all; coarser tiles, which leave an eighth of a bit to outliers; and pairs of an
# encoding for attention and tiles for the experts, of which the first that takes no more than the most bits is used.
SIZES = {
    "4.6": (4.625, (4, 16, 16), (4, 32, 16), [("int6", (4, 32, 16)), ("int6", (4, 128, 16))]),
    "4.2": (4.25, (4, 32, 32), (4, 64, 64), [("int6", (4, 128, 64)), ("int5", (4, 128, 64))]),
    "3.6": (3.625, (3, 16, 16), (3, 32, 16), [("int6", (3, 64, 16)), ("int5", (3, 128, 16))]),
    "3.2": (3.25, (3, 32, 32), (3, 64, 64), [("int5", (3, 128, 64)), ("int4", (3, 128, 64))]),
    "2.6": (2.625, (2, 16, 16), (2, 32, 16), [("int5", (2, 64, 16)), ("int4", (2, 128, 16))]),
}
METHODS = ["rtn", "gptq", "spqr", "rtn-mixed", "mixed", "spqr-mixed"]


def tiles(encoding, bits, rows, columns):
    return f"{encoding}:bits={bits},rows={rows},columns={columns}"


def attention_share(model):
    """The share of attention among the weights that are quantized: attention and experts."""
    counts = {"self_attn": 0, "experts": 0}
    for path in glob.glob(os.path.join(model, "*.safetensors")):
        with open(path, "rb") as file:
            header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        for name, tensor in header.items():
            for part in counts:
                if f".{part}." in name and len(tensor["shape"]) == 2:
                    counts[part] += tensor["shape"][0] * tensor["shape"][1]
    return counts["self_attn"] / max(sum(counts.values()), 1)


def mixture(size, share):
    """The encodings of attention and experts that fit a size."""
    target, _, _, pairs = SIZES[size]

    def bits(attention, tile):
        width, rows, columns = tile
        return share * (int(attention[3:]) + 0.25) + (1 - share) * (width + 6 / columns + 64 / (rows * columns))

    attention, experts = next((pair for pair in pairs if bits(*pair) <= target), pairs[-1])
    return attention, experts


def recipe(size, method, share):
    """The lines of a recipe, and the bits that outliers may fill up to."""
    target, usual, coarser, _ = SIZES[size]
    if method == "spqr":
        attention = experts = tiles("spqr", *coarser)
    elif method.endswith("mixed"):
        attention, experts = mixture(size, share)
        experts = tiles("spqr" if method.startswith("spqr") else "bilevel", *experts)
    else:
        attention = experts = tiles("bilevel", *usual)
    solver = "" if method.startswith("rtn") else "@gptq"
    lines = f"experts {experts}{solver}\nattention {attention}{solver}\nlinear {experts}{solver}\n"
    return lines, target if method.startswith("spqr") else None


def run(options, size, method):
    lines, target = recipe(size, method, options.share)
    with tempfile.TemporaryDirectory() as folder:
        named = os.path.join(folder, "table.recipe")
        open(named, "w").write(lines)
        packed, values = os.path.join(folder, "model.bale"), os.path.join(folder, "values")
        command = [options.bale, "pack", options.model, packed, "--recipe", named, "--threads", "2", "--json"]
        if "@gptq" in lines:
            command += ["--calibration", options.statistics]
        if target:
            command += ["--target-bits", str(target)]
        report = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
        subprocess.run([options.bale, "convert", packed, values, "--dequantize", "f32", "--quiet"], check=True)
        perplexity = measure(options.perplexity, values)
    return {
        "size": size, "method": method, "recipe": lines, "bits": report["quantized_bits"],
        "relative_mse": report["relative_mse"], "output_mse": report["output_relative_mse"],
        "seconds": report["seconds"], "ppl": perplexity,
    }


def measure(command, directory):
    output = subprocess.run(command.replace("{}", directory), shell=True, check=True, stdout=subprocess.PIPE).stdout
    return json.loads(output.decode().strip().splitlines()[-1])["ppl"]


def known(path):
    if not os.path.exists(path):
        return {}
    rows = [json.loads(line) for line in open(path)]
    return {(row["size"], row["method"]): row for row in rows}


def table(rows, base):
    def cell(row):
        return f"{row['ppl']:.3f} (+{(row['ppl'] / base - 1) * 100:.2f} %) at {row['bits']:.3f}" if row else ""

    methods = [method for method in METHODS if any(key[1] == method for key in rows)]
    print(f"Unquantized: {base:.4f}\n")
    print("| bits | " + " | ".join(methods) + " |")
    print("|---" * (len(methods) + 1) + "|")
    for size in SIZES:
        print(f"| {size} | " + " | ".join(cell(rows.get((size, method))) for method in methods) + " |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("statistics")
    parser.add_argument("--perplexity", required=True)
    parser.add_argument("--bale", default=".build/release/bale")
    parser.add_argument("--results")
    parser.add_argument("--sizes", nargs="+", default=list(SIZES), choices=list(SIZES))
    parser.add_argument("--methods", nargs="+", default=METHODS, choices=METHODS)
    options = parser.parse_args()
    name = os.path.basename(os.path.normpath(options.model))
    path = options.results or os.path.join("out", f"calibration-{name}.jsonl")
    options.share = attention_share(options.model)
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    rows = known(path)

    def keep(row):
        rows[row["size"], row["method"]] = row
        with open(path, "a") as file:
            file.write(json.dumps(row) + "\n")
        print(json.dumps(row), file=sys.stderr)

    if ("", "none") not in rows:
        keep({"size": "", "method": "none", "ppl": measure(options.perplexity, options.model)})
    for method in options.methods:
        for size in options.sizes:
            if (size, method) not in rows:
                keep(run(options, size, method))
    base = rows.pop(("", "none"))["ppl"]
    table(rows, base)


if __name__ == "__main__":
    main()
