#!/usr/bin/env python3
"""Measures what packing the experts of a model costs, from 0.5 to 4.25 bits a weight: perplexity, not a proxy of it.

    expert-curve.py MODEL OUT.json --evaluate "python3 ppl.py {}" [--calibration STATS] [--bits 1.6,2] [--plain int4,nf4]
                    [--jobs 2] [--bale .build/release/bale]

Each point is packed with `bale pack` (beside centroids at --target-bits, or experts alone in a plain encoding, "@gptq"
after it if a solver is to use the statistics), unpacked with `bale unpack`, and handed to the command that --evaluate
names: {} becomes the directory, and its last line should be JSON with "ppl"; what else it says is kept as "evaluation".
"bf16" is the model as it is. Bits are counted by specs/reader from the file: all chunks of experts and of what they stand beside, without padding, over the
weights of the experts. OUT.json is written anew after each point, and points that it has are not measured again;
`bale experts --measured OUT.json --html` draws it. A table goes to the standard output.
"""
import argparse
import concurrent.futures
import json
import os
import shlex
import subprocess
import sys
import tempfile

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
sys.path.insert(0, os.path.join(ROOT, "specs", "reader"))
import bale_reader  # noqa: E402

BITS = "0.5,0.75,1,1.3,1.6,2,2.5,3,3.5,4.25"
PLAIN = "bf16,ternary,int2,int3,int4,nf4,mxfp4"


def counted(path):
    """Bits a weight of the experts and their centroids, and the relative squared error of the experts."""
    bale = bale_reader.BaleFile(path)
    kinds = [[bale_reader.KINDS[row["kind"]] for row in shard.table["RECD"]] for shard in bale.shards]
    stored = weights = error = 0
    for tensor in bale.tensors.values():
        place = [kinds[bale.shards.index(shard)][part["record"]] for shard, part in tensor.parts]
        if not place or place[0] not in ("expert", "resident"):
            continue
        for shard, part in tensor.parts:
            for plane in shard.table["PLAN"][part["plane"]:part["plane"] + part["planes"]]:
                chunks = shard.table["CHNK"][plane["chunk"]:plane["chunk"] + plane["chunks"]]
                stored += int(chunks["stored"].sum())
        if place[0] == "expert":
            count = 1
            for side in tensor.shape:
                count *= side
            weights += count
            error += count * tensor.mse
    return stored * 8 / weights, error / weights


def evaluated(arguments, directory):
    """What the evaluation says of a model."""
    command = [directory if word == "{}" else word for word in shlex.split(arguments.evaluate)]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip().splitlines()
    said = json.loads(lines[-1])
    return {"perplexity": said.pop("ppl"), "evaluation": said}


def measured(arguments, options, recipe):
    """Packs, unpacks and evaluates."""
    if recipe is None:
        return {"bits": 16, "error": 0, **evaluated(arguments, arguments.model)}
    with tempfile.TemporaryDirectory() as folder:
        rules = os.path.join(folder, "own.recipe")
        with open(rules, "w") as file:
            file.write(recipe)
        packed, unpacked = os.path.join(folder, "a.bale"), os.path.join(folder, "a")
        bale = [arguments.bale]
        subprocess.run(bale + ["pack", arguments.model, packed, "--recipe", rules, "--quiet"] + options, check=True)
        bits, error = counted(packed)
        subprocess.run(bale + ["unpack", packed, unpacked, "--quiet"], check=True)
        return {"bits": round(bits, 4), "error": round(error, 6), **evaluated(arguments, unpacked)}


def points(arguments):
    """Name of the curve, what is asked, options of `bale pack`, and rules of each point."""
    statistics = ["--calibration", arguments.calibration] if arguments.calibration else []
    shared = "trellis beside centroids" + (", calibrated" if arguments.calibration else "")
    for bits in filter(None, arguments.bits.split(",")):
        yield shared, bits, ["--dedupe-experts", "--target-bits", bits] + statistics, "experts mxfp4\n"
    for encoding in filter(None, arguments.plain.split(",")):
        name = encoding.split("@")[0].split(":")[0]
        curve = name[:3] if name.startswith("int") else name
        solved = statistics if "@" in encoding else []
        rules = None if encoding == "bf16" else "experts %s\n" % encoding
        yield curve + (", calibrated" if solved else ""), encoding, solved, rules


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("out")
    parser.add_argument("--evaluate", required=True)
    parser.add_argument("--calibration")
    parser.add_argument("--bits", default=BITS)
    parser.add_argument("--plain", default=PLAIN)
    parser.add_argument("--jobs", type=int, default=1, help="points at a time")
    parser.add_argument("--bale", default=os.path.join(ROOT, ".build", "release", "bale"))
    arguments = parser.parse_args()
    found = []
    if os.path.exists(arguments.out):
        with open(arguments.out) as file:
            found = json.load(file)["points"]
    known = {(point["curve"], point["asked"]) for point in found}
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        waiting = {
            pool.submit(measured, arguments, options, recipe): (curve, asked)
            for curve, asked, options, recipe in points(arguments) if (curve, asked) not in known}
        for done in concurrent.futures.as_completed(waiting):
            curve, asked = waiting[done]
            found.append({"curve": curve, "asked": asked, **done.result()})
            found.sort(key=lambda point: (point["curve"], point["bits"]))
            with open(arguments.out, "w") as file:
                json.dump({"points": found}, file, indent=1)
    for point in found:
        print("| {curve} | {asked} | {bits:.3f} | {error:.5f} | {perplexity:.3f} |".format(**point))


if __name__ == "__main__":
    main()
