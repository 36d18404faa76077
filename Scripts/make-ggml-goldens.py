#!/usr/bin/env python3
"""Writes Tests/CodecsTests/Goldens/ggml.txt: digests of what ggml itself encodes and decodes.

    python3 Scripts/make-ggml-goldens.py LIBGGML_BASE.so

The library is ggml's own (ggml-base, as llama.cpp builds it for x86-64: optimised, without -march, assertions off).
Goldens/README.md says what the lines hold; GGMLGolden.swift makes the same inputs.
"""

import ctypes
import hashlib
import pathlib
import struct
import sys

import numpy as np

GOLDENS = pathlib.Path(__file__).resolve().parent.parent / "Tests/CodecsTests/Goldens"
COLUMNS = 512

# name: (id, elements of a block, bytes of a block, offsets of the bytes that end an F16 or F32 scale)
TYPES = {
    "Q4_0": (2, 32, 18, [1]), "Q4_1": (3, 32, 20, [1, 3]), "Q5_0": (6, 32, 22, [1]), "Q5_1": (7, 32, 24, [1, 3]),
    "Q8_0": (8, 32, 34, [1]), "Q2_K": (10, 256, 84, [81, 83]), "Q3_K": (11, 256, 110, [109]),
    "Q4_K": (12, 256, 144, [1, 3]), "Q5_K": (13, 256, 176, [1, 3]), "Q6_K": (14, 256, 210, [209]),
    "Q8_K": (15, 256, 292, [3]), "IQ2_XXS": (16, 256, 66, [1]), "IQ2_XS": (17, 256, 74, [1]),
    "IQ3_XXS": (18, 256, 98, [1]), "IQ1_S": (19, 256, 50, [1]), "IQ4_NL": (20, 32, 18, [1]),
    "IQ3_S": (21, 256, 110, [1]), "IQ2_S": (22, 256, 82, [1]), "IQ4_XS": (23, 256, 136, [1]),
    "IQ1_M": (29, 256, 56, [55]), "TQ1_0": (34, 256, 54, [53]), "TQ2_0": (35, 256, 66, [65]),
    "MXFP4": (39, 32, 17, [0]), "NVFP4": (40, 64, 36, []), "Q1_0": (41, 128, 18, [1]), "Q2_0": (42, 64, 18, [1]),
}
ENCODED = ["Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "IQ4_NL", "IQ4_XS", "TQ1_0",
           "TQ2_0", "MXFP4", "NVFP4", "Q1_0", "Q2_0"]
WEIGHTED = ["Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "IQ4_NL", "IQ4_XS"]


class SplitMix64:
    def __init__(self, seed):
        self.state = seed

    def next(self):
        mask = (1 << 64) - 1
        self.state = (self.state + 0x9E3779B97F4A7C15) & mask
        z = self.state
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & mask
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB & mask
        return z ^ (z >> 31)

    def bell(self):
        """Sum of four 16-bit numbers less its mean, in units of 2^-15: near normal, exact in F32."""
        bits = self.next()
        return sum(bits >> 16 * part & 0xFFFF for part in range(4)) - 131070


def bf16(value):
    bits = struct.unpack("<I", struct.pack("<f", value))[0]
    return struct.unpack("<f", struct.pack("<I", (bits + 0x7FFF + (bits >> 16 & 1)) >> 16 << 16))[0]


def values():
    """Rows of 512 by kind, in the order of GGMLGolden.kinds."""
    random = SplitMix64(7)
    f32 = lambda value: struct.unpack("<f", struct.pack("<f", value))[0]
    rows = []
    rows += [bf16(random.bell() * 2.0**-21) for _ in range(4 * COLUMNS)]  # weights in BF16
    rows += [f32(random.bell() * 2.0**-21) for _ in range(2 * COLUMNS)]  # in F32
    rows += [0.0] * 256 + [-0.0] * 256
    rows += [0.3] * 128 + [-0.7] * 128 + [float(index % 3 - 1) for index in range(256)]  # constants, ternary
    rows += [(random.next() % 17) / 4 - 2 for _ in range(COLUMNS)]  # ties
    rows += [-1 - (random.next() % 1024) / 2.0**20 for _ in range(256)]  # far from zero
    rows += [1 + (random.next() % 1024) / 2.0**20 for _ in range(256)]
    rows += [random.bell() * 2.0 ** (index // 16 % 24 - 30) for index in range(COLUMNS)]  # scales that differ
    rows += [random.bell() * (2.0**-8 if index % 256 == 77 else 2.0**-24) for index in range(COLUMNS)]  # outliers
    rows += [random.bell() * 2.0**-18 if random.next() % 40 == 0 else 0.0 for _ in range(COLUMNS)]  # sparse
    rows += [(random.next() % 255 - 127) * 2.0**-149 for _ in range(COLUMNS)]  # subnormal
    rows += [random.bell() * 2.0**-140 for _ in range(COLUMNS)]  # about the smallest normal
    rows += [random.bell() * 2.0**-2 for _ in range(COLUMNS)]  # up to 32768
    return np.array(rows, dtype=np.float32)


def importance():
    random = SplitMix64(9)
    return np.array([0 if random.next() % 40 == 0 else (random.next() % 4096 + 1) / 256 for _ in range(COLUMNS)],
                    dtype=np.float32)


def main(path):
    library = ctypes.CDLL(path)
    library.ggml_quantize_chunk.restype = ctypes.c_size_t
    library.ggml_quantize_chunk.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64,
                                            ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p]
    GOLDENS.mkdir(exist_ok=True)
    x, weights = values(), importance()
    digests = [f"input values 0 {digest(x)}", f"input importance 0 {digest(weights)}"]
    for name in ENCODED:
        for weighted in [False, True] if name in WEIGHTED else [False]:
            digests += encode(library, name, x, weights if weighted else None)
    for name in TYPES:
        digests.append(decode(library, name))
    (GOLDENS / "ggml.txt").write_text("\n".join(digests) + "\n")


def encode(library, name, x, weights):
    """A digest of each row."""
    number, elements, size, _ = TYPES[name]
    row = COLUMNS // elements * size
    output = np.zeros(len(x) // COLUMNS * row, dtype=np.uint8)
    library.ggml_quantize_chunk(number, x.ctypes.data, output.ctypes.data, 0, len(x) // COLUMNS, COLUMNS,
                                None if weights is None else weights.ctypes.data)
    kind = "encode" if weights is None else "importance"
    assert name != "MXFP4" or (output[::size] != 255).all(), "a scale that ggml refuses to read"
    for index, encoded in enumerate(output.reshape(-1, row)):
        yield f"{kind} {name} {index} {digest(encoded)}"


def digest(array):
    return hashlib.sha256(array.tobytes()).hexdigest()[:32]


class Traits(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("block", ctypes.c_int64), ("interleave", ctypes.c_int64),
                ("size", ctypes.c_size_t), ("quantized", ctypes.c_bool), ("to_float", ctypes.c_void_p)]


def decode(library, name):
    """64 blocks of random bytes; bit 6 of the last byte of each scale is 0, so that it is finite."""
    number, elements, size, scales = TYPES[name]
    random = SplitMix64(number)
    blocks = bytearray(random.next() & 0xFF for _ in range(64 * size))
    for block in range(64):
        for offset in scales:
            blocks[block * size + offset] &= 0xBF
    output = np.zeros(64 * elements, dtype=np.float32)
    library.ggml_get_type_traits.restype = ctypes.POINTER(Traits)
    traits = library.ggml_get_type_traits(number).contents
    assert (traits.block, traits.size) == (elements, size), name
    function = ctypes.CFUNCTYPE(None, ctypes.c_char_p, ctypes.c_void_p, ctypes.c_int64)
    if traits.to_float:
        function(traits.to_float)(bytes(blocks), output.ctypes.data, len(output))
    else:
        function(("dequantize_row_q8_K", library))(bytes(blocks), output.ctypes.data, len(output))
    return f"decode {name} 0 {digest(output)}"


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
