"""GGUF files that a reader must refuse."""
from cases import INVALID
from gguf_bytes import *

MAX = (1 << 64) - 1
HALF = 1 << 63


def add(corpus):
    def bad(name, reason, data):
        corpus.file("gguf", name, INVALID, reason, data)

    fixed_part(bad)
    keys(bad)
    values(bad)
    arrays(bad)
    alignments(bad)
    names(bad)
    shapes(bad)
    types(bad)
    places(bad)


def fixed_part(bad):
    bad("empty", "no bytes", b"")
    for count in (1, 2, 3):
        bad(f"magic-{count}-bytes", "the file ends in the magic", b"GGUF"[:count])
    for count in (4, 7, 8, 15, 16, 23):
        bad(f"cut-at-{count}", "the file ends in the fixed part", L.head()[:count])
    for name, magic in {"lower": b"gguf", "reversed": b"FUGG", "ggjt": b"tjgg", "ggml": b"lmgg", "zero": bytes(4),
                        "zip": b"PK\3\4", "last-byte": b"GGUG"}.items():
        bad(f"magic-{name}", "another magic", magic + GOOD[4:])
    bad("html", "a web page saved under the name of a model", b"<!DOCTYPE html><html><body>404</body></html>\n" * 4)
    bad("lfs-pointer", "the pointer of Git LFS instead of the file",
        b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 4\n")
    for version in (0, 1, 4, 5, 0x7FFFFFFF, 0xFFFFFFFF, 0x10003):
        bad(f"version-{version}", "a version that no reader knows", L.head(version=version) + bytes(64))
    bad("version-swapped-alone", "big-endian by its version, little-endian behind it",
        b"GGUF" + B.number("I", 3) + GOOD[8:])
    for name, count in {"minus-1": -1, "least": -HALF, "most": HALF - 1, "2p32": 1 << 32, "2p48": 1 << 48,
                        "2p60": 1 << 60}.items():
        bad(f"tensors-{name}", "a count of tensors that the file can't hold", L.head(count, 0) + bytes(64))
        bad(f"pairs-{name}", "a count of pairs that the file can't hold", L.head(0, count) + bytes(64))
    # Counts whose product with the size of a struct wraps to something small (CVE-2024-21836, CVE-2024-23605).
    for size in (24, 32, 48, 56, 64, 96, 376):
        count = (1 << 64) // size + 1
        bad(f"tensors-wrap-{size}", f"{size} times the count of tensors wraps", L.head(count, 0) + bytes(64))
        bad(f"pairs-wrap-{size}", f"{size} times the count of pairs wraps", L.head(0, count) + bytes(64))
    bad("tensors-one-more", "one tensor more than there are", L.head(2, 1) + GOOD[24:])
    bad("pairs-one-more", "the first tensor is taken for a pair",
        L.head(1, 2) + L.file([ARCH], [L.info("t", [4, 4])], FLOATS_PADDED * 2)[24:])
    bad("pairs-one-less", "the pair is taken for a tensor", L.head(1, 0) + GOOD[24:])


def keys(bad):
    def pair(key):
        return L.head(0, 1) + key + L.number("I", U8) + b"\1" + bytes(32)

    bad("key-empty", "a key of no bytes", pair(L.string("")))
    for name, length in {"u64max": MAX, "2p63": HALF, "2p32": 1 << 32, "2p30": 1 << 30, "to-wrap": MAX - 7}.items():
        bad(f"key-length-{name}", "the key is longer than the file (CVE-2024-23496)", pair(L.string("k", length)))
    data = L.head(0, 1) + L.string("key", 0) + L.number("I", U8) + b"\1"
    bad("key-one-beyond-end", "the key ends one byte behind the file (CVE-2024-32878)",
        L.head(0, 1) + L.string("keykey", 7))
    bad("key-length-zero-with-bytes", "a key of no bytes, and bytes", data)
    bad("key-65536-bytes", "a key above 65,535 bytes", L.file([L.pair("k" * 65536, U8, 1)]))
    for name, key in {"ff": b"a\xff", "overlong": b"a\xc0\x80", "surrogate": b"\xed\xa0\x80", "cut": b"\xe2\x82",
                      "above-10ffff": b"\xf4\x90\x80\x80"}.items():
        bad(f"key-utf8-{name}", "a key that is not UTF-8", L.file([L.pair(key, U8, 1)]))
    bad("key-twice", "a key twice", L.file([ARCH, ARCH]))
    bad("key-twice-other-value", "a key twice, with two values", L.file([L.pair("a.b", U8, 1), L.pair("a.b", U8, 2)]))
    bad("key-twice-other-type", "a key twice, with two types", L.file([L.pair("a.b", U8, 1), L.pair("a.b", STR, "x")]))
    bad("alignment-twice", "the alignment twice",
        L.file([L.pair("general.alignment", U32, 32), L.pair("general.alignment", U32, 64)]))
    many = [L.pair(f"k{n}", U8, 0) for n in range(2000)] + [L.pair("k7", U8, 0)]
    bad("key-twice-of-2000", "the last of 2,001 keys repeats the eighth", L.file(many))


def values(bad):
    def raw(kind, value):
        return L.head(0, 1) + L.string("a.b") + L.number("I", kind) + value

    for kind in (13, 14, 32, 255, 256, 0x7FFFFFFF, 0xFFFFFFFF):
        bad(f"value-type-{kind}", "a value of an unknown type", raw(kind, bytes(64)))
    for kind, code in CODES.items():
        if len(L.number(code, 0)) > 1:
            bad(f"value-cut-type-{kind}", "the file ends in the value", raw(kind, L.number(code, 1)[:-1]))
    bad("value-missing", "the file ends before the value", raw(BOOL, b""))
    bad("type-cut", "the file ends in the type of the value", L.head(0, 1) + L.string("a.b") + b"\0\0")
    for name, length in {"u64max": MAX, "2p63": HALF, "2p31": 1 << 31, "wrap": MAX - 23}.items():
        bad(f"string-length-{name}", "the string is longer than the file", raw(STR, L.string("text", length)))
    bad("string-one-beyond-end", "the string ends one byte behind the file", raw(STR, L.string("text", 5)))
    bad("string-length-cut", "the file ends in the length of the string", raw(STR, bytes(7)))


def arrays(bad):
    def raw(element, count, data=bytes(64)):
        head = L.head(0, 1) + L.string("a.b") + L.number("I", ARR)
        return head + L.number("I", element) + L.number("Q", count) + data

    for name, count in {"u64max": MAX, "2p63": HALF, "2p61": 1 << 61, "2p62-plus-1": (1 << 62) + 1,
                        "2p32": 1 << 32, "above-2p30": (1 << 30) + 1}.items():
        for element in (U8, F64, STR):
            bad(f"array-of-{element}-length-{name}", "an array that is longer than the file (CVE-2024-21825)",
                raw(element, count))
    bad("array-one-more", "an array one element longer than the file", raw(F64, 9))
    for element in (13, 99, 0xFFFFFFFF):
        bad(f"array-type-{element}", "an array of an unknown type", raw(element, 1))
    bad("array-type-cut", "the file ends in the type of the elements",
        L.head(0, 1) + L.string("a.b") + L.number("I", ARR) + b"\0")
    bad("array-string-length-u64max", "a string in an array is longer than the file", raw(STR, 2, L.string("x") + b"\xff" * 8))
    bad("array-string-cut", "the file ends in the second string of an array", raw(STR, 2, L.string("x") + L.string("yz", 3)))
    level = L.number("I", ARR) + L.number("Q", 1)
    for depth in (17, 1000, 20000):
        deep = L.head(0, 1) + L.string("a.b") + L.number("I", ARR) + level * depth + L.number("I", U8) + bytes(9)
        bad(f"array-{depth}-deep", f"arrays in {depth} arrays", deep)
    bad("array-of-2p40-arrays", "an array of 2^40 arrays", raw(ARR, 1 << 40))
    bad("array-of-arrays-cut", "the file ends in the second array of an array", raw(ARR, 2, L.number("I", U8) + bytes(8)))


def alignments(bad):
    for value in (0, 3, 12, 33, 48, 96, 0xFFFFFFFF, 0x80000001):
        pair = L.pair("general.alignment", U32, value)
        bad(f"alignment-{value}", "an alignment that is no power of two",
            L.file([ARCH, pair], [L.info("t", [4])], FLOATS_PADDED))
    for kind, value in {U64: 32, I32: 32, U16: 32, STR: "32", BOOL: 1, F32: 32.0, ARR: (U32, [32])}.items():
        bad(f"alignment-type-{kind}", "an alignment of another type than uint32",
            L.file([ARCH, L.pair("general.alignment", kind, value)], [L.info("t", [4])], FLOATS_PADDED))
    bad("alignment-2p31-with-a-tensor", "the data would begin behind the file",
        L.file([L.pair("general.alignment", U32, 1 << 31)], [L.info("t", [4])], FLOATS_PADDED))


def names(bad):
    def named(name, length=None):
        info = L.string(name, length) + L.number("I", 1) + L.number("Q", 4) + L.number("i", 0) + L.number("Q", 0)
        return L.file([ARCH], [info], FLOATS_PADDED)

    bad("name-64-bytes", "a name above 63 bytes", named("n" * 64))
    bad("name-1000-bytes", "a name above 63 bytes", named("n" * 1000))
    for name, length in {"u64max": MAX, "2p63": HALF, "2p32": 1 << 32}.items():
        bad(f"name-length-{name}", "a name longer than the file", named("n", length))
    for name, text in {"ff": b"\xff", "overlong": b"\xe0\x80\x80", "surrogate": b"\xed\xbf\xbf"}.items():
        bad(f"name-utf8-{name}", "a name that is not UTF-8", named(text))
    two = [L.info("t", [4]), L.info("t", [4], offset=32)]
    bad("name-twice", "two tensors of one name", L.file([ARCH], two, FLOATS_PADDED * 2))
    many = [L.info(f"t{n}", [1], kind=24, offset=32 * n) for n in range(2000)] + [L.info("t5", [1], 24, 64000)]
    bad("name-twice-of-2000", "the last of 2,001 tensors has the name of the sixth", L.file([ARCH], many, bytes(64032)))
    for cut in (1, 8, 9, 13, 21, 25, 32):
        bad(f"info-cut-at-{cut}", "the file ends in the description of a tensor", L.head(1, 0) + L.info("t", [4])[:cut])


def shapes(bad):
    def shaped(ne, kind=0, rank=None):
        return L.file([ARCH], [L.info("t", ne, kind, rank=rank)], FLOATS_PADDED)

    bad("rank-5", "five dimensions (CVE-2024-21802)", shaped([1, 1, 1, 1, 4]))
    bad("rank-u32max", "2^32 - 1 dimensions", shaped([4], rank=0xFFFFFFFF))
    bad("rank-2p31", "2^31 dimensions", shaped([4], rank=1 << 31))
    for name, ne in {"minus-1": [-1], "least": [-HALF], "minus-second": [4, -1], "two-minus": [-2, -2]}.items():
        bad(f"dimension-{name}", "a dimension below zero", shaped(ne))
    wrapping = {"2p32-2p32": [1 << 32, 1 << 32], "2p31-2p33": [1 << 31, 1 << 33], "2p16-four": [1 << 16] * 4,
                "to-4": [(1 << 62) + 1, 4], "3-factors": [1 << 22, 1 << 21, 1 << 21], "zero-behind": [1 << 62, 4, 0]}
    for name, ne in wrapping.items():
        bad(f"product-{name}", "the product of the dimensions wraps (CVE-2026-33298)", shaped(ne))
    for name, elements in {"2p62": 1 << 62, "2p61": 1 << 61, "2p62-plus-1": (1 << 62) + 1, "most": HALF - 1}.items():
        bad(f"bytes-wrap-{name}", "the size in bytes wraps (CVE-2026-33298)", shaped([elements]))
    bad("bytes-wrap-f64", "eight bytes times 2^61", shaped([1 << 61], 28))
    bad("bytes-wrap-q8", "blocks of 34 bytes", shaped([HALF - 32], 8))
    bad("padding-wrap", "the size fits 63 bits, padded it doesn't (CVE-2026-27940)", shaped([HALF - 1], 24))
    four = [L.info(f"t{n}", [1 << 60], offset=n << 62) for n in range(4)]
    bad("sum-wrap", "four sizes of 2^62 add up to nothing (CVE-2025-53630)", L.file([ARCH], four, FLOATS_PADDED))
    two = [L.info("a", [(1 << 62) - 32], 1), L.info("b", [64], 1, (1 << 63) - 64)]
    bad("sum-wrap-behind-large", "a small tensor behind 2^63 bytes", L.file([ARCH], two, FLOATS_PADDED))
    bad("exabytes", "a tensor of 2^60 bytes in a small file", shaped([1 << 30, 1 << 30], 24))
    bad("terabyte", "a tensor of 2^40 bytes in a small file", shaped([1 << 40], 24))


def types(bad):
    for kind in (4, 5, 31, 32, 33, 36, 37, 38):
        bad(f"type-{kind}", "a type that ggml has removed", L.file([ARCH], [L.info("t", [32], kind)], bytes(64)))
    for kind in (100, 255, 65536, 0x7FFFFFFF, -1, -0x80000000):
        bad(f"type-{kind}", "an unknown type", L.file([ARCH], [L.info("t", [32], kind)], bytes(64)))
    for name, (kind, block, size) in BLOCKS.items():
        if block > 1:
            for elements in (1, block - 1, block + block // 2):
                bad(f"row-{name}-{elements}", "a row that is not whole blocks",
                    L.file([ARCH], [L.info("t", [elements], kind)], bytes(1024)))
    bad("row-scalar-q4", "a scalar of a block type", L.file([ARCH], [L.info("t", [], 2)], bytes(64)))
    bad("row-16-by-2-q4", "32 elements, in two rows of half a block", L.file([ARCH], [L.info("t", [16, 2], 2)], bytes(64)))


def places(bad):
    def placed(offsets, data=FLOATS_PADDED * 2):
        return L.file([ARCH], [L.info(f"t{n}", [4], offset=o) for n, o in enumerate(offsets)], data)

    cases = {"gap": [0, 64], "shared": [0, 0], "overlap": [0, 16], "reversed": [32, 0], "not-at-0": [32, 64],
             "unaligned": [0, 33], "u64max": [0, MAX], "2p63": [0, HALF], "beyond": [0, 4096], "minus-32": [0, -32],
             "minus-header": [-64, 0]}
    for name, offsets in cases.items():
        bad(f"offset-{name}", "an offset that is not the sum of the padded sizes before", placed(offsets, FLOATS_PADDED * 8))
    bad("offset-packed", "tensors without padding between", placed([0, 16]))
    bad("data-missing", "no data", L.file([ARCH], [L.info("t", [4])]))
    bad("data-missing-padding-too", "the file ends with the header",
        L.head(1, 1) + ARCH + L.info("t", [4]))
    for count in (1, 4, 15):
        bad(f"data-{count}-bytes", "a tensor ends behind the file (CVE-2026-7482)", L.file([ARCH], [L.info("t", [4])], FLOATS[:count]))
    bad("data-second-missing", "the second tensor lies behind the file", placed([0, 32], FLOATS_PADDED))
    bad("data-second-cut", "the second tensor ends behind the file", placed([0, 32], FLOATS_PADDED + FLOATS[:12]))
    aliases = [L.info(f"t{n}", [1 << 16], offset=0) for n in range(2000)]
    bad("aliases-2000", "2,000 tensors of one place", L.file([ARCH], aliases, bytes(1 << 18)))
