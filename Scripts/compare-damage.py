#!/usr/bin/env python3
"""Damages one set of tensors in several formats the same ways, and prints who notices.

    compare-damage.py MODEL.safetensors [--bale .build/release/bale] [--count 400] [--seed 1]

MODEL is written as safetensors, GGUF, ZipNN (one compressed buffer a tensor) and lossless .bale. Each file is then
damaged COUNT times by a flipped bit, COUNT / 8 times each by a cut, appended bytes, a zeroed page of 4 KiB and two
swapped pages, and read in full in a process of its own. Outcomes: `noticed`, an error; `silent`, other tensors than
before and no error; `same`, the tensors as they were; `crash`, the process died of a signal or ran for ten seconds.
Needs numpy and safetensors; the formats whose packages (gguf, zipnn) are missing are left out.
"""
import argparse
import hashlib
import os
import random
import signal
import struct
import subprocess
import sys
import tempfile

PAGE = 4096
OUTCOMES = ["noticed", "silent", "same", "crash"]


def digest(tensors):
    """Of names and bytes, in the order of the names."""
    hash = hashlib.sha256()
    for name, data in sorted(tensors):
        hash.update(name.encode() + b"\0" + hashlib.sha256(data).digest())
    return hash.hexdigest()


def stored(path):
    """Names, dtypes, shapes and bytes of a safetensors file."""
    import json

    data = open(path, "rb").read()
    length = struct.unpack_from("<Q", data)[0]
    for name, entry in json.loads(data[8:8 + length]).items():
        if name != "__metadata__":
            begin, end = entry["data_offsets"]
            yield name, entry["dtype"], entry["shape"], data[8 + length + begin:8 + length + end]


class Safetensors:
    def write(self, tensors, path, source):
        open(path, "wb").write(open(source, "rb").read())

    def read(self, path):
        from safetensors import deserialize

        return [(name, bytes(entry["data"])) for name, entry in deserialize(open(path, "rb").read())]


class GGUF:
    def write(self, tensors, path, source):
        import gguf
        import numpy

        writer = gguf.GGUFWriter(path, "damage")
        for name, _, _, data in tensors:
            writer.add_tensor(name, numpy.frombuffer(data, numpy.int8))
        for step in (writer.write_header_to_file, writer.write_kv_data_to_file, writer.write_tensors_to_file, writer.close):
            step()

    def read(self, path):
        from gguf import GGUFReader

        return [(tensor.name, tensor.data.tobytes()) for tensor in GGUFReader(path).tensors]


class ZipNN:
    def write(self, tensors, path, source):
        from zipnn import ZipNN as Packer

        with open(path, "wb") as out:
            for name, dtype, _, data in tensors:
                kind = {"BF16": "bfloat16", "F16": "float16", "F32": "float32"}[dtype]
                packed = Packer(input_format="byte", bytearray_dtype=kind, threads=1).compress(bytearray(data))
                out.write(struct.pack("<QQ", len(name), len(packed)) + name.encode() + bytes(packed))

    def read(self, path):
        from zipnn import ZipNN as Packer

        data, at, result = open(path, "rb").read(), 0, []
        while at < len(data):
            name, size = struct.unpack_from("<QQ", data, at)
            packed = data[at + 16 + name:at + 16 + name + size]
            if len(packed) != size:
                raise ValueError("cut")
            result.append((data[at + 16:at + 16 + name].decode(), bytes(Packer(input_format="byte", threads=1).decompress(packed))))
            at += 16 + name + size
        return result


class Bale:
    def __init__(self, binary):
        self.binary = binary

    def write(self, tensors, path, source):
        subprocess.run([self.binary, "pack", source, path, "--lossless", "--quiet"], check=True)

    def read(self, path):
        with tempfile.TemporaryDirectory() as directory:
            code = subprocess.run([self.binary, "unpack", path, directory + "/out", "--quiet"], capture_output=True).returncode
            if code < 0 or code > 2:
                os.kill(os.getpid(), signal.SIGABRT)
            if code:
                raise ValueError
            restored = os.listdir(directory + "/out")[0]
            return [(name, data) for name, _, _, data in stored(f"{directory}/out/{restored}")]


def outcome(format, path, expected):
    child = os.fork()
    if child == 0:
        signal.alarm(10)
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.dup2(null, 2)
        try:
            os._exit(2 if digest(format.read(path)) == expected else 1)
        except BaseException:
            os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return OUTCOMES[code] if code in (0, 1, 2) else "crash"


def damages(data, count, generator):
    """The kind of damage, and the damaged file."""
    for _ in range(count):
        bit = generator.randrange(len(data) * 8)
        damaged = bytearray(data)
        damaged[bit // 8] ^= 1 << bit % 8
        yield "bit flipped", damaged
    pages = len(data) // PAGE
    for _ in range(count // 8):
        yield "cut", data[:generator.randrange(len(data))]
        yield "appended", data + generator.randbytes(generator.randrange(1, PAGE + 1))
        first, second = (generator.randrange(pages) * PAGE for _ in range(2))
        yield "page zeroed", data[:first] + bytes(PAGE) + data[first + PAGE:]
        swapped = bytearray(data)
        swapped[first:first + PAGE], swapped[second:second + PAGE] = data[second:second + PAGE], data[first:first + PAGE]
        yield "pages swapped", swapped


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("--bale", default=os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".build/release/bale"))
    parser.add_argument("--count", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    tensors = list(stored(arguments.model))
    formats = {"safetensors": Safetensors(), "bale": Bale(os.path.abspath(arguments.bale))}
    for name, format in (("gguf", GGUF), ("zipnn", ZipNN)):
        try:
            __import__(name)
            formats[name] = format()
        except ImportError:
            print(f"{name} is not installed", file=sys.stderr)
    print("| format | damage | " + " | ".join(OUTCOMES) + " |")
    print("|---|---|" + "---|" * len(OUTCOMES))
    with tempfile.TemporaryDirectory() as directory:
        for name, format in formats.items():
            path = f"{directory}/model.{name}"
            format.write(tensors, path, arguments.model)
            expected = digest(format.read(path))
            data = open(path, "rb").read()
            table = {}
            for kind, damaged in damages(data, arguments.count, random.Random(arguments.seed)):
                if damaged == data:
                    continue
                bad = f"{directory}/bad.{name}"
                open(bad, "wb").write(damaged)
                row = table.setdefault(kind, dict.fromkeys(OUTCOMES, 0))
                row[outcome(format, bad, expected)] += 1
            for kind, row in table.items():
                print(f"| {name} | {kind} | " + " | ".join(str(row[key]) for key in OUTCOMES) + " |", flush=True)


if __name__ == "__main__":
    main()
