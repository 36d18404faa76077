"""Writes samples/good/parity from specs/parity.md alone: a file and its parity. Needs libxxhash."""

import ctypes
import ctypes.util
import hashlib
import os
import struct

XXH = ctypes.CDLL(ctypes.util.find_library("xxhash"))
XXH.XXH3_64bits.restype = ctypes.c_uint64


class Hash128(ctypes.Structure):
    _fields_ = [("low", ctypes.c_uint64), ("high", ctypes.c_uint64)]


XXH.XXH3_128bits.restype = Hash128


def xxh128(data):
    digest = XXH.XXH3_128bits(data, ctypes.c_size_t(len(data)))
    return struct.pack(">QQ", digest.high, digest.low)


def multiply(a, b):
    product = 0
    while b:
        if b & 1:
            product ^= a
        a = a << 1 ^ (0x1100B if a & 0x8000 else 0)
        b >>= 1
    return product


def inverse(a):
    result = 1
    for _ in range(14):  # a^(2^16 - 2)
        a = multiply(a, a)
        result = multiply(result, a)
    return multiply(result, multiply(a, a))


def elements(block):
    for group in range(0, len(block), 128):
        for i in range(group, group + 64):
            yield block[i] | block[i + 64] << 8


def packed(values):
    block = bytearray()
    for group in range(0, len(values), 64):
        block += bytes(v & 255 for v in values[group : group + 64]) + bytes(v >> 8 for v in values[group : group + 64])
    return bytes(block)


def parity_file(data, size, parity):
    blocks = [data[i : i + size].ljust(size, b"\0") for i in range(0, len(data), size)]
    sums = []
    for j in range(parity):
        total = [0] * (size // 2)
        for i, block in enumerate(blocks):
            factor = inverse((65535 - j) ^ i)
            total = [t ^ multiply(factor, e) for t, e in zip(total, elements(block))]
        sums.append(packed(total))
    digests = b"".join(map(xxh128, blocks + sums))
    pages = b""
    for page in range(max(1, -(-(len(blocks) + parity) // 248))):
        content = b"\x89BALEPAR" + struct.pack("<IIQ", 1, page, len(data)) + hashlib.sha256(data).digest()
        content += struct.pack("<QII", size, len(blocks), parity) + bytes(48)
        content += digests[page * 3968 : (page + 1) * 3968].ljust(3968, b"\0")
        pages += content + struct.pack("<Q", XXH.XXH3_64bits(content, ctypes.c_size_t(len(content))))
    return pages + b"".join(sums) + pages


def main():
    folder = os.path.join(os.path.dirname(__file__), "..", "samples", "good", "parity")
    os.makedirs(folder, exist_ok=True)
    data = bytes(i * 7 % 256 for i in range(300))
    with open(os.path.join(folder, "v1"), "wb") as file:
        file.write(data)
    with open(os.path.join(folder, "v1.parity"), "wb") as file:
        file.write(parity_file(data, 128, 2))
    print([f"{inverse(0xFFFF ^ i):04X}" for i in range(3)])
    blocks = [list(elements(data[i : i + 128].ljust(128, b"\0")))[0] for i in range(0, 300, 128)]
    print([f"{b:04X}" for b in blocks])
    total = 0
    for i, b in enumerate(blocks):
        total ^= multiply(inverse(0xFFFF ^ i), b)
    print(f"{total:04X}")


main()
