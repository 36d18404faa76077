#!/usr/bin/env python3
"""Reads GGUF files with gguf-py and checks what llama.cpp's own reader checks besides. Exit code 1 if one is bad.

    python3 -m venv .venv && .venv/bin/pip install gguf
    .venv/bin/python Scripts/check-gguf.py FILE.gguf ...
"""
import sys

from gguf import GGUFReader
from gguf.constants import GGUFValueType


def pad(size, alignment):
    return size + -size % alignment


def problems(path):
    """What llama.cpp would refuse in a file that gguf-py has read; the rules are in specs/gguf.md."""
    reader = GGUFReader(path)
    alignment = int(reader.alignment)
    end = 0
    for tensor in reader.tensors:
        offset = tensor.data_offset - reader.data_offset
        if offset != end:
            yield f"tensor {tensor.name!r} is at offset {offset}, it should be at {end}"
        if len(tensor.name.encode()) > 63:
            yield f"the name {tensor.name!r} is longer than 63 bytes"
        if len(tensor.shape) > 4:
            yield f"tensor {tensor.name!r} has {len(tensor.shape)} dimensions"
        end += pad(int(tensor.n_bytes), alignment)
    if reader.tensors and reader.data_offset + end > len(reader.data):
        yield f"the data ends at byte {reader.data_offset + end} of a file of {len(reader.data)}"
    for field in reader.fields.values():
        if field.types[:2] == [GGUFValueType.ARRAY, GGUFValueType.ARRAY]:
            yield f"{field.name!r} is an array of arrays"
        if not field.name:
            yield "a key is empty"


def main(paths):
    bad = 0
    for path in paths:
        try:
            found = list(problems(path))
        except Exception as error:  # whatever gguf-py raises is a refusal
            found = [f"gguf-py: {type(error).__name__}: {error}"]
        print(f"{path}: " + ("ok" if not found else "; ".join(found)))
        bad += bool(found)
    return 1 if bad else 0


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1:]))
