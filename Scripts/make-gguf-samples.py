#!/usr/bin/env python3
"""Writes samples/good/gguf and samples/bad/gguf: tiny GGUF files made from the rules of specs/gguf.md, field by field.

Needs Python 3.9, nothing else. The files are committed; Tests/GGUFTests says what a reader must make of each.
"""
import os
import struct

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "samples")

U8, I8, U16, I16, U32, I32, F32, BOOL, STR, ARR, U64, I64, F64 = range(13)
FORMATS = {U8: "B", I8: "b", U16: "H", I16: "h", U32: "I", I32: "i", F32: "f", BOOL: "B", U64: "Q", I64: "q", F64: "d"}


class Writer:
    """The fields of a file, in one byte order."""

    def __init__(self, order="<"):
        self.order = order

    def number(self, code, value):
        return struct.pack(self.order + code, value)

    def string(self, text):
        data = text if isinstance(text, bytes) else text.encode()
        return self.number("Q", len(data)) + data

    def value(self, kind, value):
        if kind == STR:
            return self.string(value)
        if kind == ARR:
            element, values = value
            head = self.number("i", element) + self.number("Q", len(values))
            return head + b"".join(self.value(element, v) for v in values)
        return self.number(FORMATS[kind], value)

    def pair(self, key, kind, value):
        return self.string(key) + self.number("i", kind) + self.value(kind, value)

    def tensor(self, name, ne, kind=0, offset=0):
        dimensions = b"".join(self.number("q", n) for n in ne)
        head = self.string(name) + self.number("I", len(ne)) + dimensions
        return head + self.number("i", kind) + self.number("Q", offset)

    def head(self, tensors=0, pairs=0, version=3):
        return b"GGUF" + self.number("I", version) + self.number("q", tensors) + self.number("q", pairs)

    def file(self, pairs=(), tensors=(), data=b"", alignment=32, version=3):
        out = self.head(len(tensors), len(pairs), version) + b"".join(pairs) + b"".join(tensors)
        return padded(out, alignment) + data


def padded(data, alignment=32):
    return data + bytes(-len(data) % alignment)


L = Writer("<")
B = Writer(">")
ARCH = L.pair("general.architecture", STR, "test")
FLOATS = struct.pack("<4f", 1, 2, 3, 4)


def every_value(w):
    """One pair of each type, at the ends of its range."""
    numbers = [(U8, 255), (I8, -128), (U16, 65535), (I16, -32768), (U32, 2**32 - 1), (I32, -2**31), (F32, 0.5),
               (BOOL, 1), (U64, 2**64 - 1), (I64, -2**63), (F64, -0.0)]
    pairs = [w.pair(f"value.{kind}", kind, value) for kind, value in numbers]
    pairs += [w.pair(f"array.{kind}", ARR, (kind, [value, 0, value])) for kind, value in numbers]
    return pairs + [w.pair("value.8", STR, "text"), w.pair("array.8", ARR, (STR, ["", "two", "three"]))]


def nested(depth):
    value = (U8, [7])
    for _ in range(depth - 1):
        value = (ARR, [value])
    return value


GOOD = {
    "empty": L.head(),
    "every-value": L.file(every_value(L)),
    "every-value-big-endian": B.file(every_value(B)),
    "every-value-v2": L.file(every_value(L), version=2),
    "no-tensors-unpadded": L.head(0, 1) + ARCH,
    "bool-of-two": L.file([L.string("flag") + L.number("i", BOOL) + b"\x02"]),
    "empty-arrays": L.file([L.pair(f"empty.{kind}", ARR, (kind, [])) for kind in range(13)]),
    "empty-string": L.file([L.pair("empty", STR, "")]),
    "string-not-utf8": L.file([L.pair("token", STR, b"\xff\xfe"), L.pair("tokens", ARR, (STR, [b"\xc3", b"\x00"]))]),
    "nested-arrays": L.file([L.pair("nested", ARR, (ARR, [(U16, [1, 2]), (STR, ["x"]), (ARR, [(U8, []), (ARR, [])])]))]),
    "nested-16-deep": L.file([L.pair("nested", ARR, nested(16))]),
    "nan-values": L.file([L.string("nan") + L.number("i", F32) + bytes.fromhex("010080ff")]),
    "same-value-twice": L.file([L.pair("a", U8, 1), L.pair("b", U8, 1)]),
    "keys-canonically-equal": L.file([L.pair("\u00e9", U8, 1), L.pair("e\u0301", U8, 2)]),
    "scalar-tensor": L.file([ARCH], [L.tensor("s", [])], padded(FLOATS[:4])),
    "four-dimensions": L.file([ARCH], [L.tensor("t", [1, 2, 1, 2])], padded(FLOATS)),
    "zero-dimension": L.file([ARCH], [L.tensor("z", [0, 5]), L.tensor("t", [4])], padded(FLOATS)),
    "empty-name": L.file([ARCH], [L.tensor("", [4])], padded(FLOATS)),
    "name-63-bytes": L.file([ARCH], [L.tensor("n" * 63, [4])], padded(FLOATS)),
    "names-canonically-equal": L.file(
        [ARCH], [L.tensor("\u00e9", [4]), L.tensor("e\u0301", [4], offset=32)], padded(FLOATS) * 2),
    "alignment-1": L.file(
        [L.pair("general.alignment", U32, 1)], [L.tensor("a", [3], 24), L.tensor("b", [2], 24, 3)], b"abcde", 1),
    "alignment-64": L.file(
        [L.pair("general.alignment", U32, 64)], [L.tensor("a", [4]), L.tensor("b", [4], offset=64)],
        padded(FLOATS, 64) * 2, 64),
    "no-final-padding": L.file([ARCH], [L.tensor("t", [4])], FLOATS),
    "bytes-after-data": L.file([ARCH], [L.tensor("t", [4])], padded(FLOATS) + b"tail"),
    "padding-not-zero": L.file([ARCH], [L.tensor("t", [4])], FLOATS + b"\xaa" * 16),
    "big-endian-tensor": B.file(
        [B.pair("general.architecture", STR, "test")], [B.tensor("t", [2, 2])], padded(struct.pack(">4f", 1, 2, 3, 4))),
    "big-endian-v2": B.file([B.pair("general.architecture", STR, "test")], version=2),
    "block-types": L.file(
        [ARCH], [L.tensor("q", [32, 2], 2), L.tensor("k", [256], 12, 64)], padded(bytes(36)) + padded(bytes(144))),
}


def one_pair(data):
    """A file of one pair given as bytes."""
    return L.head(0, 1) + data


def one_tensor(info, data=padded(FLOATS)):
    return padded(L.head(1, 0) + info) + data


BAD = {
    "empty": b"",
    "three-bytes": b"GGU",
    "magic": b"GGML" + L.head()[4:],
    "html": b"<!doctype html><html><head><title>404</title></head></html>",
    "magic-only": b"GGUF",
    "version-0": L.head(version=0),
    "version-1": L.head(version=1),
    "version-4": L.head(version=4),
    "version-1-big-endian": B.head(version=1),
    "version-high-half": L.head(version=0x10000),
    "cut-in-counts": L.head()[:20],
    "tensors-negative": L.head(tensors=-1),
    "tensors-beyond-file": L.head(tensors=1),
    "tensors-2p62": L.head(tensors=2**62) + bytes(64),
    "pairs-negative": L.head(pairs=-(2**63)),
    "pairs-beyond-file": L.head(pairs=2) + bytes(27),
    "pairs-2p60": L.head(pairs=2**60) + bytes(64),
    "key-empty": one_pair(L.pair("", U8, 1) + b"\x00"),
    "key-too-long": one_pair(L.number("Q", 65536) + bytes(16)),
    "key-length-2p64": one_pair(L.number("Q", 2**64 - 1) + bytes(16)),
    "key-cut": one_pair(L.number("Q", 30) + b"general.archite"),
    "key-not-utf8": one_pair(L.pair(b"\xff", U8, 1)),
    "key-twice": L.file([L.pair("a", U8, 1), L.pair("b", U8, 1), L.pair("a", U8, 1)]),
    "value-type-13": one_pair(L.string("key") + L.number("i", 13) + bytes(8)),
    "value-type-negative": one_pair(L.string("key") + L.number("i", -1) + bytes(8)),
    "value-cut": one_pair(L.string("key") + L.number("i", U64) + bytes(4)),
    "string-beyond-file": one_pair(L.string("key") + L.number("i", STR) + L.number("Q", 9) + b"8 bytes."),
    "string-length-2p64": one_pair(L.string("key") + L.number("i", STR) + L.number("Q", 2**64 - 1)),
    "array-type-99": one_pair(L.string("key") + L.number("i", ARR) + L.number("i", 99) + L.number("Q", 0)),
    "array-too-long": one_pair(L.string("key") + L.number("i", ARR) + L.number("i", U8) + L.number("Q", 2**30 + 1)),
    "array-length-2p64": one_pair(L.string("key") + L.number("i", ARR) + L.number("i", U64) + L.number("Q", 2**64 - 1)),
    "array-beyond-file": one_pair(
        L.string("key") + L.number("i", ARR) + L.number("i", U16) + L.number("Q", 5) + bytes(9)),
    "strings-beyond-file": one_pair(
        L.string("key") + L.number("i", ARR) + L.number("i", STR) + L.number("Q", 3) + bytes(23)),
    "string-in-array-beyond-file": one_pair(
        L.string("key") + L.number("i", ARR) + L.number("i", STR) + L.number("Q", 2) + L.string("a") + L.number("Q", 1)),
    "array-17-deep": L.file([L.pair("key", ARR, nested(17))]),
    "array-1000-deep": one_pair(
        L.string("key") + L.number("i", ARR) + (L.number("i", ARR) + L.number("Q", 1)) * 1000),
    "alignment-u64": L.file([L.pair("general.alignment", U64, 32)]),
    "alignment-0": L.file([L.pair("general.alignment", U32, 0)]),
    "alignment-48": L.file([ARCH, L.pair("general.alignment", U32, 48)]),
    "name-64-bytes": one_tensor(L.tensor("n" * 64, [4])),
    "name-length-2p64": one_tensor(L.number("Q", 2**64 - 1) + bytes(16)),
    "name-cut": L.head(1, 0) + L.number("Q", 60) + bytes(20),
    "name-not-utf8": one_tensor(L.tensor(b"\xc0\x80", [4])),
    "name-twice": L.file([ARCH], [L.tensor("t", [4]), L.tensor("t", [4], offset=32)], padded(FLOATS) * 2),
    "dimensions-5": one_tensor(L.tensor("t", [1, 1, 1, 1, 4])),
    "dimensions-2p32": one_tensor(L.string("t") + L.number("I", 2**32 - 1) + bytes(16)),
    "dimension-negative": one_tensor(L.tensor("t", [4, -1])),
    "shape-overflow": one_tensor(L.tensor("t", [2**32, 2**31])),
    "shape-overflow-then-zero": one_tensor(L.tensor("t", [2**62, 2**62, 0])),
    "shape-overflow-after-zero": one_tensor(L.tensor("t", [0, 2**62, 2**62])),
    "size-overflow": one_tensor(L.tensor("t", [2**61, 2], 28)),
    "sum-overflow": L.file(
        [ARCH], [L.tensor("a", [2**62], 24), L.tensor("b", [2**62], 24, 2**62)]),
    "padding-overflow": one_tensor(L.tensor("t", [2**63 - 1], 24)),
    "position-overflow": one_tensor(L.tensor("t", [2**63 - 32], 24)),
    "type-43": one_tensor(L.tensor("t", [4], 43)),
    "type-negative": one_tensor(L.tensor("t", [4], -1)),
    **{f"type-{n}-removed": one_tensor(L.tensor("t", [4], n)) for n in (4, 5, 31, 32, 33, 36, 37, 38)},
    "row-not-whole-blocks": one_tensor(L.tensor("t", [31, 32], 8)),
    "scalar-in-blocks": one_tensor(L.tensor("t", [], 8)),
    "offset-of-first": one_tensor(L.tensor("t", [4], offset=32), padded(FLOATS) * 2),
    "offset-gap": L.file([ARCH], [L.tensor("a", [4]), L.tensor("b", [4], offset=64)], padded(FLOATS) * 3),
    "offset-shared": L.file([ARCH], [L.tensor("a", [4]), L.tensor("b", [4])], padded(FLOATS) * 2),
    "offset-reversed": L.file([ARCH], [L.tensor("a", [4], offset=32), L.tensor("b", [4])], padded(FLOATS) * 2),
    "offset-unpadded": L.file([ARCH], [L.tensor("a", [4]), L.tensor("b", [4], offset=16)], padded(FLOATS) * 2),
    "offset-of-32-at-64": L.file(
        [L.pair("general.alignment", U32, 64)], [L.tensor("a", [4]), L.tensor("b", [4], offset=32)],
        padded(FLOATS, 64) * 2, 64),
    "tensor-info-cut": L.head(1, 0) + L.tensor("tensor", [4])[:-4],
    "no-data": padded(L.head(1, 0) + L.tensor("t", [4])),
    "no-padding": L.head(1, 0) + L.tensor("t", [4]),
    "data-one-short": one_tensor(L.tensor("t", [4]), FLOATS[:-1]),
    "second-tensor-cut": L.file([ARCH], [L.tensor("a", [4]), L.tensor("b", [4], offset=32)], padded(FLOATS) + FLOATS[:8]),
}


def shard(number, count, total, names, extra=(), data=None):
    """A shard of a split model; `number` counts from 0."""
    keys = [L.pair("split.no", U16, number), L.pair("split.count", U16, count), L.pair("split.tensors.count", I32, total)]
    infos = [L.tensor(name, [4], offset=32 * i) for i, name in enumerate(names)]
    return L.file(list(extra) + keys, infos, padded(FLOATS) * len(names) if data is None else data)


def shard_set(shards):
    return {f"m-{i + 1:05d}-of-{len(shards):05d}": data for i, data in enumerate(shards) if data is not None}


TWO = [shard(0, 2, 3, ["a", "b"], [ARCH]), shard(1, 2, 3, ["c"])]

GOOD_SPLITS = {
    "two-shards": shard_set(TWO),
    "first-shard-empty": shard_set([shard(0, 2, 1, [], [ARCH]), shard(1, 2, 1, ["a"])]),
    "later-shard-repeats-key": shard_set([TWO[0], shard(1, 2, 3, ["c"], [ARCH, L.pair("more", U8, 1)])]),
    "merged-file": {"merged": shard(0, 0, 3, ["a", "b", "c"], [ARCH])},
    "count-of-one": {"single": shard(0, 1, 1, ["a"], [ARCH])},
}

BAD_SPLITS = {
    "missing-shard": shard_set([TWO[0], None]),
    "wrong-name": {"m": TWO[0]},
    "wrong-number-in-name": {"m-00002-of-00002": TWO[0]},
    "count-not-a-number": shard_set([L.file([L.pair("split.count", STR, "2")]), None]),
    "no-number": shard_set([L.file([L.pair("split.count", U16, 2)]), None]),
    "other-count": shard_set([TWO[0], shard(1, 3, 3, ["c"])]),
    "other-number": shard_set([TWO[0], shard(0, 2, 3, ["c"])]),
    "no-tensor-count": shard_set(
        [L.file([L.pair("split.no", U16, 0), L.pair("split.count", U16, 2)]), shard(1, 2, 0, [])]),
    "tensor-count": shard_set([TWO[0], shard(1, 2, 3, [])]),
    "tensor-in-both": shard_set([TWO[0], shard(1, 2, 3, ["b"])]),
    "key-conflict": shard_set([TWO[0], shard(1, 2, 3, ["c"], [L.pair("general.architecture", STR, "other")])]),
    "shard-cut": shard_set([TWO[0], TWO[1][:-20]]),
}


def write(path, data):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data)


def main():
    for folder, samples, splits in (("good", GOOD, GOOD_SPLITS), ("bad", BAD, BAD_SPLITS)):
        root = os.path.join(ROOT, folder, "gguf")
        for name, data in samples.items():
            write(os.path.join(root, name + ".gguf"), data)
        for name, files in splits.items():
            for file, data in files.items():
                write(os.path.join(root, "splits", name, file + ".gguf"), data)


if __name__ == "__main__":
    main()
