"""GGUF field by field, so that each can be wrong by itself (specs/gguf.md)."""
import struct

U8, I8, U16, I16, U32, I32, F32, BOOL, STR, ARR, U64, I64, F64 = range(13)
CODES = {U8: "B", I8: "b", U16: "H", I16: "h", U32: "I", I32: "i", F32: "f", BOOL: "B", U64: "Q", I64: "q", F64: "d"}
# Type id, elements of a block, bytes of a block; ggml-common.h and specs/codecs/ggml.md.
BLOCKS = {
    "F32": (0, 1, 4), "F16": (1, 1, 2), "Q4_0": (2, 32, 18), "Q4_1": (3, 32, 20), "Q5_0": (6, 32, 22),
    "Q5_1": (7, 32, 24), "Q8_0": (8, 32, 34), "Q8_1": (9, 32, 36), "Q2_K": (10, 256, 84), "Q3_K": (11, 256, 110),
    "Q4_K": (12, 256, 144), "Q5_K": (13, 256, 176), "Q6_K": (14, 256, 210), "Q8_K": (15, 256, 292),
    "IQ2_XXS": (16, 256, 66), "IQ2_XS": (17, 256, 74), "IQ3_XXS": (18, 256, 98), "IQ1_S": (19, 256, 50),
    "IQ4_NL": (20, 32, 18), "IQ3_S": (21, 256, 110), "IQ2_S": (22, 256, 82), "IQ4_XS": (23, 256, 136),
    "I8": (24, 1, 1), "I16": (25, 1, 2), "I32": (26, 1, 4), "I64": (27, 1, 8), "F64": (28, 1, 8),
    "IQ1_M": (29, 256, 56), "BF16": (30, 1, 2), "TQ1_0": (34, 256, 54), "TQ2_0": (35, 256, 66), "MXFP4": (39, 32, 17),
}


class Fields:
    """The fields of a file, in one byte order."""

    def __init__(self, order="<"):
        self.order = order

    def number(self, code, value):
        return struct.pack(self.order + code, value)

    def string(self, text, length=None):
        data = text if isinstance(text, bytes) else text.encode()
        return self.number("Q", len(data) if length is None else length) + data

    def value(self, kind, value):
        if kind == STR:
            return self.string(value)
        if kind == ARR:
            element, values = value
            head = self.number("I", element) + self.number("Q", len(values))
            return head + b"".join(self.value(element, v) for v in values)
        return self.number(CODES[kind], value)

    def pair(self, key, kind, value):
        return self.string(key) + self.number("I", kind) + self.value(kind, value)

    def info(self, name, ne, kind=0, offset=0, rank=None):
        sizes = b"".join(self.number("Q", n % (1 << 64)) for n in ne)
        rank = self.number("I", len(ne) if rank is None else rank)
        return self.string(name) + rank + sizes + self.number("i", kind) + self.number("Q", offset % (1 << 64))

    def head(self, tensors=0, pairs=0, version=3, magic=b"GGUF"):
        counts = self.number("Q", tensors % (1 << 64)) + self.number("Q", pairs % (1 << 64))
        return magic + self.number("I", version) + counts

    def file(self, pairs=(), infos=(), data=b"", alignment=32, version=3):
        head = self.head(len(infos), len(pairs), version) + b"".join(pairs) + b"".join(infos)
        return padded(head, alignment) + data


def padded(data, alignment=32):
    return data + bytes(-len(data) % alignment)


L, B = Fields("<"), Fields(">")
ARCH = L.pair("general.architecture", STR, "test")
FLOATS = struct.pack("<4f", 1, -2, 3.5, 4)
FLOATS_PADDED = padded(FLOATS)
GOOD = L.file([ARCH], [L.info("t", [4])], FLOATS_PADDED)
