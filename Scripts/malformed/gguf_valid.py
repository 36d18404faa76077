"""GGUF files that look wrong and are right."""
from cases import VALID
from gguf_bytes import *


def add(corpus):
    def good(name, reason, data):
        corpus.file("gguf", name, VALID, reason, data)

    containers(good)
    pairs(good)
    tensors(good)


def containers(good):
    good("nothing-in-it", "no pair and no tensor", L.head())
    good("no-tensors", "pairs alone", L.head(0, 1) + ARCH)
    good("no-tensors-padded", "pairs alone, padded", L.file([ARCH]))
    good("no-pairs", "a tensor without any pair", L.file([], [L.info("t", [4])], FLOATS_PADDED))
    good("version-2", "version 2", L.file([ARCH], [L.info("t", [4])], FLOATS_PADDED, version=2))
    numbers = [B.pair("general.architecture", STR, "test"), B.pair("a.b", I64, -2), B.pair("a.c", ARR, (U16, [1, 2]))]
    big = B.file(numbers, [B.info("t", [4])], padded(struct.pack(">4f", 1, 2, 3, 4)))
    good("big-endian", "every number is big-endian", big)
    good("big-endian-v2", "big-endian, version 2", B.file(numbers, version=2))
    for alignment in (1, 2, 8, 16, 64, 4096, 65536):
        pair = L.pair("general.alignment", U32, alignment)
        two = [L.info("t", [4]), L.info("u", [1], offset=max(16, alignment))]
        data = padded(FLOATS, alignment) + padded(FLOATS[:4], alignment)
        good(f"alignment-{alignment}", "an unusual alignment", L.file([ARCH, pair], two, data, alignment))
    good("alignment-2p31", "an alignment of 2 GiB, and nothing to align",
        L.file([L.pair("general.alignment", U32, 1 << 31)]))
    good("no-final-padding", "the last tensor is not padded", L.file([ARCH], [L.info("t", [4])], FLOATS))
    good("padding-not-zero", "padding of other bytes than zero",
        L.file([ARCH], [L.info("t", [4])], FLOATS + b"\xaa" * 16))
    good("bytes-behind", "bytes behind the last tensor", GOOD + b"more than the tensors need")


def pairs(good):
    every = [L.pair(f"x.{kind}", kind, 1) for kind in CODES]
    good("every-type", "a value of every type", L.file(every + [L.pair("x.s", STR, "text")]))
    extremes = [L.pair("x.u", U64, (1 << 64) - 1), L.pair("x.i", I64, -(1 << 63)), L.pair("x.b", I8, -128)]
    good("extreme-integers", "the largest and the least integers", L.file(extremes))
    nans = L.string("x.nan") + L.number("I", F32) + bytes.fromhex("0100a07f")
    nans64 = L.string("x.nan64") + L.number("I", F64) + bytes.fromhex("010000000000f47f")
    good("signalling-nan", "NaNs with a payload, kept bit for bit", L.file([nans, nans64]))
    good("bool-2", "a bool of two is true", L.file([L.string("x.b") + L.number("I", BOOL) + b"\2"]))
    good("string-not-utf8", "a string need not be UTF-8", L.file([L.pair("x.s", STR, b"\xff\xfe\0\xc0\x80")]))
    good("string-empty", "a string of no bytes", L.file([L.pair("x.s", STR, "")]))
    good("string-1-mib", "a string of 1 MiB", L.file([L.pair("x.s", STR, b"0123456789abcdef" * 65536)]))
    good("template-jinja", "a chat template that would run a command if it were rendered (CVE-2026-5760)",
        L.file([L.pair("tokenizer.chat_template", STR,
                       "{{ ''.__class__.__mro__[1].__subclasses__() }}{% for x in range(10**9) %}a{% endfor %}")]))
    tokens = L.pair("tokenizer.ggml.tokens", ARR, (STR, ["a", "", "x" * (1 << 20)]))
    scores = L.pair("tokenizer.ggml.scores", ARR, (F32, [0.0]))
    good("tokens-and-scores-differ", "more tokens than scores, one of 1 MiB: the container doesn't care",
        L.file([tokens, scores]))
    for kind in CODES:
        good(f"array-empty-of-{kind}", "an array of nothing", L.file([L.pair("x.a", ARR, (kind, []))]))
    good("array-of-arrays", "arrays in an array", L.file([L.pair("x.a", ARR, (ARR, [(U8, [1]), (STR, ["a", "b"]), (F32, [])]))]))
    deep = (U8, [7])
    for _ in range(15):
        deep = (ARR, [deep])
    good("array-16-deep", "arrays in 15 arrays", L.file([L.pair("x.a", ARR, deep)]))
    good("array-of-bools", "bools of any byte", L.file([L.pair("x.a", ARR, (BOOL, [0, 1, 2, 255]))]))
    for name, key in {"one-byte": "k", "space": "a key", "65535-bytes": "k" * 65535, "nul": "a\0b", "upper": "A.B",
                      "unicode": "sch\u00fcssel.\u65e5\u672c", "dots": "..a.."}.items():
        good(f"key-{name}", "an unusual key", L.file([L.pair(key, U8, 1)]))
    good("keys-composed", "two keys that Unicode calls equal", L.file([L.pair("\u00e9", U8, 1), L.pair("e\u0301", U8, 1)]))
    good("pairs-2000", "2,000 pairs", L.file([L.pair(f"k.{n}", U32, n) for n in range(2000)]))
    for count in (0, 1):
        good(f"split-count-{count}", "a model of its own, whatever it was once", L.file([L.pair("split.count", U16, count)]))


def tensors(good):
    for name, (kind, block, size) in BLOCKS.items():
        data = bytes((n * 7 + 1) % 64 for n in range(3 * size))
        good(f"type-{name}", f"three blocks of {name}",
            L.file([ARCH], [L.info("t", [block, 3], kind)], padded(data)))
    for name, text in {"empty": "", "63-bytes": "n" * 63, "unicode": "\U0001f600\u00e9", "path": "../../etc/passwd",
                       "nul": "a\0b", "newline": "a\nb", "quote": "a\"b\\c"}.items():
        good(f"name-{name}", "an unusual name", L.file([ARCH], [L.info(text, [4])], FLOATS_PADDED))
    names = [L.info("\u00e9", [4]), L.info("e\u0301", [4], offset=32)]
    good("names-composed", "two names that Unicode calls equal", L.file([ARCH], names, FLOATS_PADDED * 2))
    good("scalar", "no dimensions", L.file([ARCH], [L.info("t", [])], padded(FLOATS[:4])))
    good("ones", "four dimensions of one", L.file([ARCH], [L.info("t", [1, 1, 1, 1])], padded(FLOATS[:4])))
    good("no-elements", "a dimension of zero", L.file([ARCH], [L.info("t", [0])]))
    good("no-elements-between", "a tensor without bytes between two others",
        L.file([ARCH], [L.info("a", [4]), L.info("z", [8, 0], offset=32), L.info("b", [4], offset=32)], FLOATS_PADDED * 2))
    good("no-elements-large", "no elements, and other dimensions of 2^20",
        L.file([ARCH], [L.info("t", [1 << 20, 0, 1 << 20])]))
    values = struct.pack("<4I", 0x7F800001, 0xFFC12345, 0x80000000, 1)
    good("nan-values", "NaN payloads, -0 and a subnormal, kept bit for bit", L.file([ARCH], [L.info("t", [4])], padded(values)))
    many = [L.info(f"blk.{n}.w", [1], 24, 32 * n) for n in range(1000)]
    good("tensors-1000", "1,000 tensors of a byte", L.file([ARCH], many, bytes(32000)))
    zero = struct.pack("<e", 0)
    good("q4-scale-nan", "a block whose scale is NaN", L.file([ARCH], [L.info("t", [32], 2)], padded(b"\1\x7e" + b"\x88" * 16)))
    good("q8-scale-zero", "a block whose scale is zero and whose codes are not",
        L.file([ARCH], [L.info("t", [32], 8)], padded(zero + bytes(range(32)))))
