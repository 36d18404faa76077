"""Reads .bale files of version 1, from specs/bale.md alone: numpy and the standard library, zstandard for zstd planes,
bale_values.py beside it for what the encodings stand for. XXH3 is not in the standard library: those digests are
checked if the package xxhash is there; the root and SHA2 (SHA-256) always are.

    python3 bale_reader.py FILE list | check | dump TENSOR OUT.npy
"""
import hashlib, os, re, struct, sys
import numpy as np
import bale_values

try:
    import xxhash
except ImportError:
    xxhash = None

NONE = 0xFFFFFFFF
ROLES = ["codes", "scales", "zeroPoints", "secondLevel", "table", "outlierRows", "outlierColumns", "outlierValues",
         "permutation", "exponents", "mantissas"]
DTYPES = [None, "BOOL", "F4", "F6_E2M3", "F6_E3M2", "U8", "I8", "F8_E5M2", "F8_E4M3", "F8_E8M0", "F8_E4M3FNUZ",
          "F8_E5M2FNUZ", "I16", "U16", "F16", "BF16", "I32", "U32", "F32", "C64", "F64", "I64", "U64"]
KINDS = ["tensor", "expert", "resident", "file", "void"]
TEXT = [("offset", "<u4"), ("length", "<u4")]
ROWS = {
    "TENS": np.dtype([("name", TEXT), ("dims", "<u4"), ("rank", "u1"), ("dtype", "u1"), ("flags", "<u2"),
                      ("encoding", "<u4"), ("part", "<u4"), ("parts", "<u4"), ("zero", "<u4"), ("mse", "<f8"),
                      ("max", "<f8")]),
    "DIMS": np.dtype("<u8"),
    "PART": np.dtype([("record", "<u4"), ("tensor", "<u4"), ("first", "<u8"), ("count", "<u8"), ("plane", "<u4"),
                      ("planes", "<u4"), ("span", "<u8")]),
    "RECD": np.dtype([("kind", "u1"), ("flags", "u1"), ("zero", "<u2"), ("layer", "<u4"), ("expert", "<u4"),
                      ("zero2", "<u4"), ("offset", "<u8"), ("length", "<u8"), ("plane", "<u4"), ("planes", "<u4"),
                      ("chunk", "<u4"), ("chunks", "<u4")]),
    "PLAN": np.dtype([("role", "u1"), ("compression", "u1"), ("extent", "u1"), ("zero", "u1"), ("part", "<u4"),
                      ("chunk", "<u4"), ("chunks", "<u4"), ("decoded", "<u8")]),
    "CHNK": np.dtype([("offset", "<u8"), ("stored", "<u4"), ("extent", "<u4"), ("decoded", "<u4"), ("zero", "<u4"),
                      ("digest", "<u8")]),
    "ENCD": np.dtype(TEXT),
    "FILE": np.dtype([("name", TEXT), ("size", "<u8"), ("sha256", "u1", 32), ("segment", "<u4"), ("segments", "<u4")]),
    "SEGM": np.dtype([("kind", "u1"), ("zero", "u1"), ("shard", "<u2"), ("index", "<u4"), ("offset", "<u8"),
                      ("length", "<u8"), ("layout", TEXT)]),
    "SHRD": np.dtype([("set", "u1", 16), ("number", "<u4"), ("count", "<u4")]),
    "SHA2": np.dtype(("u1", 32)),
}
MANDATORY = ["STRS", "TENS", "DIMS", "PART", "RECD", "PLAN", "CHNK", "ENCD", "META", "FILE", "SEGM"]


class BaleError(Exception):
    pass


def need(condition, message):
    if not condition:
        raise BaleError(message)


def xxh64(data, expected, what):
    need(xxhash is None or xxhash.xxh3_64_intdigest(data) == int(expected), what + ": the digest does not match")


class Shard:
    """One file: its directory as numpy tables, and reads of checked chunks."""

    def __init__(self, path):
        self.path, self.file, size = path, open(path, "rb"), os.path.getsize(path)
        need(size >= 256, "too short")
        header, trailer = self.read(0, 128), self.read(size - 128, 128)
        need(header[:8] == b"\x89BALE\r\n\x1a", "not a .bale file")
        xxh64(header[:120], struct.unpack("<Q", header[120:])[0], "header")
        need(struct.unpack("<II", header[8:16]) == (1, 128), "unsupported version")
        need(trailer[112:120] == b"BALE.END", "no trailer: incomplete, cut or extended")
        xxh64(trailer[:120], struct.unpack("<Q", trailer[120:])[0], "trailer")
        offset, length, digest, self.root, total, version = struct.unpack("<QQ16s32sQI", trailer[:76])
        need(version == 1 and total == size and offset % 128 == 0 and offset + length == size - 128, "bad trailer")
        self.directory = self.read(offset, length)
        need(xxhash is None or xxhash.xxh3_128_digest(self.directory) == digest, "directory: the digest does not match")
        self.sections()

    def read(self, offset, length):
        self.file.seek(int(offset))
        data = self.file.read(int(length))
        need(len(data) == length, "the file ends early")
        return data

    def sections(self):
        magic, count, zero = struct.unpack("<8sII", self.directory[:16])
        need(magic == b"BALE.DIR" and count <= 256 and zero == 0, "bad section table")
        self.raw = {}
        for i in range(count):
            tag, flags, offset, length = struct.unpack_from("<4sIQQ", self.directory, 16 + 24 * i)
            tag = tag.decode("latin-1")
            need(offset + length <= len(self.directory) and tag not in self.raw, "bad section table")
            need(tag in ROWS or tag in MANDATORY or not flags & 1, "unknown required section " + tag)
            self.raw[tag] = self.directory[offset:offset + length]
        need(all(tag in self.raw for tag in MANDATORY), "a section is missing")
        self.table = {tag: np.frombuffer(self.raw.get(tag, b""), row) for tag, row in ROWS.items()}

    def text(self, reference):
        start = int(reference["offset"])
        return self.raw["STRS"][start:start + int(reference["length"])].decode("utf-8")

    def extent(self, index):
        """The bytes of a chunk with its padding, checked."""
        chunk = self.table["CHNK"][index]
        data = self.read(chunk["offset"], chunk["extent"])
        xxh64(data, chunk["digest"], "%s: chunk at %d" % (self.path, chunk["offset"]))
        return data

    def chunk(self, index, plane):
        """The decoded bytes of a chunk."""
        chunk = self.table["CHNK"][index]
        need(chunk["stored"] <= chunk["decoded"] <= min(1 << 26, int(chunk["stored"]) << 16), "bad chunk lengths")
        data = self.extent(index)[:int(chunk["stored"])]
        if plane["compression"] == 1 and chunk["stored"] != chunk["decoded"]:
            import zstandard
            data = zstandard.ZstdDecompressor().decompress(data, max_output_size=int(chunk["decoded"]))
        need(len(data) == chunk["decoded"], "a chunk decodes to another length")
        return data

    def plane(self, index):
        """All decoded bytes of a plane."""
        plane = self.table["PLAN"][index]
        return b"".join(self.chunk(int(plane["chunk"]) + i, plane) for i in range(int(plane["chunks"])))


class Tensor:
    """A tensor; `reference` names the one that it stands beside (codecs/residual.md), which is none of the model's."""
    def __init__(self, shard, row):
        start = int(row["dims"])
        self.name, self.dtype = shard.text(row["name"]), DTYPES[row["dtype"]]
        self.shape = tuple(int(n) for n in shard.table["DIMS"][start:start + int(row["rank"])])
        self.encoding = shard.text(shard.table["ENCD"][row["encoding"]])
        self.lossless, self.mse, self.max_error = bool(row["flags"] & 1), float(row["mse"]), float(row["max"])
        self.reference, self.parts = (re.findall("^residual:.*reference=([^,]*)", self.encoding) or [None])[0], []

    def spans(self):
        """For each span of each part: its elements, the row length, the roles and the bytes of its planes."""
        columns = self.shape[-1] if self.shape else 1
        stride = int(np.prod(self.shape[1:], dtype=object)) if self.shape else 1
        for shard, part in sorted(self.parts, key=lambda p: int(p[1]["first"])):
            planes = [(i, shard.table["PLAN"][i]) for i in range(part["plane"], part["plane"] + part["planes"])]
            whole = {i: shard.plane(i) for i, plane in planes if plane["extent"] == 2}
            elements, span = int(part["count"]) * stride, int(part["span"])
            for k, start in enumerate(range(0, elements, span)):
                data = [whole[i] if i in whole else shard.chunk(int(plane["chunk"]) + k, plane) for i, plane in planes]
                yield min(span, elements - start), columns, [ROLES[p["role"]] for _, p in planes], data


class BaleFile:
    """A file, or the set of shards that it belongs to."""
    def __init__(self, path):
        self.shards = [Shard(path)]
        place = self.shards[0].table["SHRD"]
        if len(place):
            stem = re.sub(r"-\d{5}-of-\d{5}\.bale$", "", path)
            count = int(place[0]["count"])
            self.shards = [Shard("%s-%05d-of-%05d.bale" % (stem, n + 1, count)) for n in range(count)]
            for n, shard in enumerate(self.shards):
                row = shard.table["SHRD"][0]
                need(bytes(row["set"]) == bytes(place[0]["set"]) and row["number"] == n + 1, "a shard of another set")
        self.tensors = {}
        for shard in self.shards:
            for row in shard.table["TENS"]:
                tensor = self.tensors.setdefault(shard.text(row["name"]), Tensor(shard, row))
                tensor.parts += [(shard, p) for p in shard.table["PART"][row["part"]:row["part"] + row["parts"]]]

    def base(self, path):
        """Opens the base that this file is stored as the difference from."""
        bale_values.base(self, BaleFile(path))

    def source(self, name):
        return bale_values.source(self, name)

    def values(self, name):
        return bale_values.values(self, name)

    def check(self):
        """Every digest that can be checked here; raises BaleError at the first that fails."""
        for shard in self.shards:
            need(hashlib.sha256(shard.directory).digest() == shard.root, "the root does not match")
            sha = shard.table["SHA2"]
            for i in range(len(shard.table["CHNK"])):
                data = shard.extent(i)
                need(not len(sha) or hashlib.sha256(data).digest() == bytes(sha[i]), "a SHA-256 does not match")


def main(path, command="list", *arguments):
    bale = BaleFile(path)
    if command == "check":
        bale.check()
        print("ok" if xxhash else "ok (without XXH3: the package xxhash is not installed)")
    if command == "dump":
        np.save(arguments[1], bale.values(arguments[0]))
    for t in bale.tensors.values() if command == "list" else []:
        cost = "lossless" if t.lossless else "relative MSE %.6g, max %.6g" % (t.mse, t.max_error)
        if all(t.name != other.reference for other in bale.tensors.values()):
            print(t.name, t.dtype, list(t.shape), t.encoding, cost, sep="\t")


if __name__ == "__main__":
    main(*sys.argv[1:])
