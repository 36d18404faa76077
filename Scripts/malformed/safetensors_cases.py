"""Safetensors files that a reader must refuse, and some that look wrong and are right (specs/safetensors.md)."""
import json
import struct

from cases import INVALID, VALID

MAX = (1 << 64) - 1
F32 = '"dtype":"F32","shape":[1],"data_offsets":[0,4]'


def file(header, data=b"\0\0\x80\x3f", length=None):
    header = header.encode() if isinstance(header, str) else header
    return struct.pack("<Q", len(header) if length is None else length) + header + data


def entry(dtype, shape, begin, end):
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def tensors(data, **entries):
    return file(json.dumps(entries), data)


def add(corpus):
    def bad(name, reason, data):
        corpus.file("safetensors", name, INVALID, reason, data)

    def good(name, reason, data):
        corpus.file("safetensors", name, VALID, reason, data)

    lengths(bad)
    texts(bad)
    fields(bad)
    places(bad)
    sizes(bad)
    good_texts(good)
    good_tensors(good)


def lengths(bad):
    for count in range(8):
        bad(f"file-{count}-bytes", "fewer than eight bytes", bytes(count))
    header = '{"t":{' + F32 + "}}"
    for name, length in {"0": 0, "u64max": MAX, "2p63": 1 << 63, "2p63-minus-1": (1 << 63) - 1, "2p32": 1 << 32,
                         "100000001": 100_000_001, "to-wrap": MAX - 7}.items():
        bad(f"length-{name}", "a header of no bytes, above the limit or longer than the file", file(header, length=length))
    bad("length-one-more-than-file", "the header ends one byte behind the file",
        file(header, b"", len(header) + 1))
    bad("length-one-less", "the header without its last brace", file(header, length=len(header) - 1))
    bad("length-big-endian", "the length in the other byte order", struct.pack(">Q", len(header)) + header.encode())
    bad("header-cut", "the file ends in the header", file(header, b"")[:40])


def texts(bad):
    inner = '{"t":{' + F32 + "}}"
    cases = {
        "empty-text": ("", "no JSON"), "spaces": ("        ", "no JSON"), "array": ("[" + inner + "]", "no object"),
        "string": ('"t"', "no object"), "null": ("null", "no object"), "number": ("1", "no object"),
        "html": ("<!DOCTYPE html><html></html>", "a web page"), "open": (inner[:-1], "the object isn't closed"),
        "two-values": (inner + "{}", "bytes behind the object"), "nul-behind": (inner + "\0", "NUL behind the object"),
        "comma-behind": (inner + ",", "a comma behind the object"),
        "bom": ("\ufeff" + inner, "a byte order mark"), "no-break-space": ("\u00a0" + inner, "no white space of JSON"),
        "vertical-tab": ("\v" + inner, "no white space of JSON"), "comment": ("/**/" + inner, "a comment"),
        "comment-line": (inner + "//", "a comment"), "single-quotes": (inner.replace('"', "'"), "single quotes"),
        "bare-key": (inner.replace('"t"', "t"), "a key without quotes"),
        "trailing-comma": (inner[:-1] + ",}", "a comma before the brace"),
        "trailing-comma-array": (inner.replace("[1]", "[1,]"), "a comma before the bracket"),
        "leading-comma": ("{," + inner[1:], "a comma before the first key"),
        "missing-colon": (inner.replace('"t":', '"t" '), "no colon"), "double-colon": (inner.replace('"t":', '"t"::'), "two colons"),
        "control-character": (inner.replace('"t"', '"t\n"'), "a raw control character in a string"),
        "control-nul": (inner.replace('"t"', '"t\0"'), "a raw NUL in a string"),
        "escape-x": (inner.replace('"t"', '"\\x41"'), "an unknown escape"),
        "escape-cut": (inner.replace('"t"', '"\\u00"'), "an escape of two digits"),
        "surrogate-high-alone": (inner.replace('"t"', '"\\ud800"'), "half a surrogate pair"),
        "surrogate-low-alone": (inner.replace('"t"', '"\\udc00"'), "half a surrogate pair"),
        "surrogates-swapped": (inner.replace('"t"', '"\\udc00\\ud800"'), "a surrogate pair the wrong way round"),
        "nan": ('{"t":{"x":NaN,' + F32 + "}}", "NaN is no JSON"),
        "infinity": ('{"t":{"x":-Infinity,' + F32 + "}}", "Infinity is no JSON"),
        "number-huge": ('{"t":{"x":1e999,' + F32 + "}}", "a number beyond a double"),
        "number-leading-zero": (inner.replace("[1]", "[01]"), "a leading zero"),
        "number-plus": (inner.replace("[1]", "[+1]"), "a plus sign"), "number-hex": (inner.replace("[1]", "[0x1]"), "a hexadecimal number"),
        "number-dot": (inner.replace("[1]", "[1.]"), "no digit behind the point"),
        "literal-capital": ('{"t":{"x":True,' + F32 + "}}", "True of Python"),
        "deep-127": ('{"t":{"x":' + "[" * 126 + "]" * 126 + "," + F32 + "}}", "nested deeper than 127"),
        "deep-20000": ('{"t":{"x":' + "[" * 20000 + "]" * 20000 + "," + F32 + "}}", "nested 20,000 deep"),
        "deep-objects-20000": ('{"t":' + '{"a":' * 20000 + "1" + "}" * 20001, "nested 20,000 deep"),
        "deep-open": ("[" * 60000, "60,000 brackets"),
    }
    for name, (text, reason) in cases.items():
        bad(name, reason, file(text))
    for name, text in {"ff": b"\xff", "overlong": b"\xc0\xaf", "surrogate": b"\xed\xa0\x80", "cut": b"\xe2\x82",
                       "above-10ffff": b"\xf4\x90\x80\x80"}.items():
        bad(f"utf8-{name}", "a header that is not UTF-8", file(inner.encode().replace(b'"t"', b'"t' + text + b'"')))
    bad("utf16", "a header in UTF-16", file(inner.encode("utf-16-le")))


def fields(bad):
    def one(text):
        return file('{"t":' + text + "}")

    for name in ("dtype", "shape", "data_offsets"):
        kept = {k: v for k, v in entry("F32", [1], 0, 4).items() if k != name}
        bad(f"no-{name}", f"{name} is missing", one(json.dumps(kept)))
        twice = json.dumps(entry("F32", [1], 0, 4))[:-1] + "," + json.dumps({name: entry("F32", [1], 0, 4)[name]})[1:]
        bad(f"twice-{name}", f"{name} stands twice", one(twice))
        bad(f"null-{name}", f"{name} is null", one(json.dumps({**entry("F32", [1], 0, 4), name: None})))
    for name, value in {"string": '"x"', "number": "4", "null": "null", "empty": "{}", "empty-array": "[]", "bool": "true"}.items():
        bad(f"tensor-{name}", "a tensor that is no object of three fields", one(value))
    dtypes = {"lower": "f32", "float32": "FLOAT32", "f8": "F8", "f8-e4m3fn": "F8_E4M3FN", "space": "BF16 ", "empty": "",
              "int8": "INT8", "f33": "F33", "nul": "\0F32", "c128": "C128", "q4": "Q4_0"}
    for name, dtype in dtypes.items():
        bad(f"dtype-{name}", "an unknown dtype", one(json.dumps(entry(dtype, [1], 0, 4))))
    bad("dtype-number", "a dtype that is a number", one(json.dumps(entry(1, [1], 0, 4))))
    shapes = {"negative": "[-1]", "minus-zero": "[-0]", "float": "[1.0]", "exponent": "[1e0]", "string": '["1"]',
              "null": "[null]", "nested": "[[1]]", "2p64": "[18446744073709551616]", "2p100": "[1267650600228229401496703205376]",
              "object": "{}", "number": "1", "bool": "[true]"}
    for name, shape in shapes.items():
        bad(f"shape-{name}", "a shape that is no array of unsigned integers",
            one('{"dtype":"F32","shape":' + shape + ',"data_offsets":[0,4]}'))
    offsets = {"none": "[]", "one": "[0]", "three": "[0,4,8]", "negative": "[-4,0]", "float": "[0,4.0]", "string": '["0","4"]',
               "2p64": "[0,18446744073709551616]", "object": '{"begin":0,"end":4}', "number": "4", "minus-zero": "[-0,4]"}
    for name, value in offsets.items():
        bad(f"offsets-{name}", "offsets that are no two unsigned integers",
            one('{"dtype":"F32","shape":[1],"data_offsets":' + value + "}"))
    for name, value in {"string": '"pt"', "array": "[]", "number-value": '{"a":1}', "null-value": '{"a":null}',
                        "object-value": '{"a":{}}', "bool-value": '{"a":true}', "array-value": '{"a":["b"]}'}.items():
        bad(f"metadata-{name}", "metadata that is no object of strings", file('{"__metadata__":' + value + ',"t":{' + F32 + "}}"))
    bad("metadata-twice", "metadata twice", file('{"__metadata__":{},"__metadata__":{},"t":{' + F32 + "}}"))
    bad("metadata-twice-escaped", "metadata twice, once with an escape",
        file('{"__metadata__":{},"\\u005f_metadata__":{},"t":{' + F32 + "}}"))
    same = '{"t":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"%s":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}'
    bad("name-twice", "two tensors of one name: two readers would see two models", file(same % "t", bytes(8)))
    bad("name-twice-escaped", "two tensors of one name, once with an escape", file(same % "\\u0074", bytes(8)))
    bad("name-twice-same", "the same tensor twice", file(same.replace("[4,8]", "[0,4]") % "t"))


def places(bad):
    def two(first, second, data=bytes(8)):
        return tensors(data, a=entry("F32", [1], *first), b=entry("F32", [1], *second))

    cases = {"hole": ((0, 4), (5, 9), 9), "overlap": ((0, 4), (2, 6), 6), "alias": ((0, 4), (0, 4), 4),
             "not-at-0": ((1, 5), (5, 9), 9), "reversed": ((4, 0), (4, 8), 8), "u64max": ((0, 4), (MAX - 3, MAX), 8),
             "wraps": ((0, 4), (MAX, 3), 8), "2p63": ((0, 4), (1 << 63, (1 << 63) + 4), 8),
             "beyond": ((0, 4), (4096, 4100), 8), "hole-of-8": ((0, 4), (12, 16), 16), "in-header": ((0, 4), (MAX - 7, MAX - 3), 8)}
    for name, (first, second, size) in cases.items():
        bad(f"place-{name}", "the tensors don't cover the data one after the other", two(first, second, bytes(size)))
    aliases = {f"t{n}": entry("U8", [1 << 16], 0, 1 << 16) for n in range(2000)}
    bad("aliases-2000", "2,000 tensors of one place", tensors(bytes(1 << 16), **aliases))
    one = json.dumps({"t": entry("F32", [4], 0, 16)})
    for count in (0, 1, 4, 15):
        bad(f"data-{count}-bytes", "the data end before the tensor does", file(one, bytes(count)))
    for count in (1, 4, 8):
        bad(f"data-{count}-more", "bytes behind the last tensor", file(one, bytes(16 + count)))
    bad("data-without-tensors", "data and no tensor", file("{}", bytes(8)))
    bad("empty-at-gap", "a tensor without bytes where none may be", tensors(bytes(8), a=entry("F32", [2], 0, 8), z=entry("F32", [0], 4, 4)))
    bad("empty-behind-end", "a tensor without bytes behind the end", tensors(bytes(8), a=entry("F32", [2], 0, 8), z=entry("F32", [0], 12, 12)))


def sizes(bad):
    def shaped(shape, dtype="F32", size=16):
        return tensors(bytes(size), t=entry(dtype, shape, 0, size))

    bad("size-more", "more bytes than the shape takes", shaped([3]))
    bad("size-less", "fewer bytes than the shape takes", shaped([5]))
    bad("size-scalar", "a scalar of 16 bytes", shaped([]))
    bad("size-none", "no elements, and 16 bytes", shaped([0]))
    bad("size-no-bytes", "four elements, and no byte", tensors(b"", t=entry("F32", [4], 0, 0)))
    wrap = {"2p32-2p32": [1 << 32, 1 << 32], "2p62-plus-1": [(1 << 62) + 1], "to-4": [(1 << 62) + 1, 4], "u64max": [MAX],
            "u64max-twice": [MAX, MAX], "2p21-three": [1 << 22] * 3, "zero-behind": [1 << 32, 1 << 32, 0]}
    for name, shape in wrap.items():
        bad(f"overflow-{name}", "the size of the tensor wraps", shaped(shape))
    bad("overflow-bits", "the bits wrap, the bytes don't", shaped([1 << 61], "U8"))
    bad("overflow-f4", "the bits of F4 wrap", shaped([1 << 62], "F4"))
    bad("sizes-of-exabytes", "a tensor of 2^60 bytes by shape and offsets",
        tensors(bytes(16), t=entry("U8", [1 << 60], 0, 1 << 60)))
    for dtype, shape in (("F4", [3]), ("F4", [1, 1]), ("F6_E2M3", [2]), ("F6_E3M2", [3])):
        bits = 4 if dtype == "F4" else 6
        size = -(-bits * shape[-1] // 8)
        bad(f"unaligned-{dtype}-{len(shape)}-{shape[-1]}", "the elements don't end on a byte", shaped(shape, dtype, size))


def good_texts(good):
    inner = '{"t":{' + F32 + "}}"
    cases = {
        "white-space-before": (" \t\r\n" + inner, "white space before the object"),
        "white-space-behind": (inner + " \t\r\n", "white space behind the object"),
        "white-space-inside": (inner.replace(":", " : ").replace(",", "\n,\t"), "white space everywhere"),
        "fields-reordered": ('{"t":{"data_offsets":[0,4],"dtype":"F32","shape":[1]}}', "fields in another order"),
        "field-unknown": ('{"t":{' + F32 + ',"extra":[{"a":null}],"extra":1}}', "fields that nobody knows, also twice"),
        "fields-escaped": (inner.replace('"dtype"', '"\\u0064type"'), "a field's name with an escape"),
        "tensor-as-array": ('{"t":["F32",[1],[0,4]]}', "a tensor as an array of its fields, as serde reads it"),
        "dtype-as-object": (inner.replace('"F32"', '{"F32":null}'), "a dtype as an object, as serde reads it"),
        "metadata-null": ('{"__metadata__":null,"t":{' + F32 + "}}", "metadata that is null, as MLX writes it"),
        "metadata-empty": ('{"__metadata__":{},"t":{' + F32 + "}}", "empty metadata"),
        "metadata-behind": ('{"t":{' + F32 + '},"__metadata__":{"a":"b"}}', "metadata behind the tensors"),
        "metadata-key-twice": ('{"__metadata__":{"a":"b","a":"c"},"t":{' + F32 + "}}", "a key of the metadata twice: the last holds"),
        "metadata-json": ('{"__metadata__":{"config":"{\\"a\\": [1]}"},"t":{' + F32 + "}}", "JSON in a string"),
        "metadata-1-mib": ('{"__metadata__":{"a":"' + "x" * (1 << 20) + '"},"t":{' + F32 + "}}", "a text of 1 MiB"),
        "deep-125": ('{"t":{"x":' + "[" * 125 + "]" * 125 + "," + F32 + "}}", "nested 127 deep"),
        "number-large": ('{"t":{"x":[1e308,1E-400,-0.0,123456789012345678901234567890],' + F32 + "}}", "numbers of a field that is ignored"),
        "name-template": (inner.replace('"t"', '"{{ 7*7 }}%s%n"'), "a name like a template and a format"),
    }
    for name, (text, reason) in cases.items():
        good(name, reason, file(text))
    good("no-tensors", "an empty object", file("{}", b""))
    good("no-tensors-metadata", "metadata alone", file('{"__metadata__":{"a":"b"}}', b""))
    good("length-odd", "a header of an odd length: the data are unaligned", file(inner + " " * (8 - len(inner) % 8 + 1)))
    good("header-64-kib", "60,000 spaces behind the header", file(inner + " " * 60000))
    names = {"empty": "", "path": "../../etc/passwd", "absolute": "/etc/passwd", "backslash": "a\\b", "quote": 'a"b', "newline": "a\nb",
             "nul": "a\0b", "unicode": "\U0001f600", "long": "n" * 10000, "space": " ", "metadata-like": "__metadata", "dots": "..", "delete": "\x7f"}
    for name, text in names.items():
        good(f"name-{name}", "an unusual name", file(json.dumps({text: entry("F32", [1], 0, 4)})))
    good("names-composed", "two names that Unicode calls equal",
         tensors(bytes(range(8)), **{"\u00e9": entry("F32", [1], 0, 4), "e\u0301": entry("F32", [1], 4, 8)}))
    good("name-raw-utf8", "a name without escapes", file('{"\U0001f600\u65e5":{' + F32 + "}}"))


def good_tensors(good):
    bits = {"BOOL": 8, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8,
            "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8, "I16": 16, "U16": 16, "F16": 16, "BF16": 16, "I32": 32, "U32": 32, "F32": 32,
            "C64": 64, "F64": 64, "I64": 64, "U64": 64}
    for dtype, width in bits.items():
        data = bytes((n * 37 + 200) % 256 for n in range(8 * width // 8))
        if dtype == "BOOL":
            data = bytes([0, 1, 2, 255, 0, 1, 1, 0])
        good(f"dtype-{dtype}", "elements of every kind, NaN and padding bits included", tensors(data, t=entry(dtype, [2, 4], 0, len(data))))
    good("scalar", "no dimensions", tensors(bytes(4), t=entry("F32", [], 0, 4)))
    good("rank-64", "64 dimensions of one", tensors(bytes(4), t=entry("F32", [1] * 64, 0, 4)))
    good("rank-200", "200 dimensions of one", tensors(bytes(4), t=entry("F32", [1] * 200, 0, 4)))
    good("no-elements", "a dimension of zero", tensors(b"", t=entry("F32", [0], 0, 0)))
    good("no-elements-large", "no elements, and another dimension of 2^40", tensors(b"", t=entry("F32", [1 << 40, 0], 0, 0)))
    good("no-elements-between", "tensors without bytes between two others",
         tensors(bytes(8), a=entry("F32", [1], 0, 4), y=entry("F32", [0], 4, 4), z=entry("F64", [3, 0], 4, 4), b=entry("F32", [1], 4, 8)))
    good("no-elements-ends", "tensors without bytes at both ends",
         tensors(bytes(4), a=entry("F32", [0], 0, 0), b=entry("F32", [1], 0, 4), c=entry("F32", [0], 4, 4)))
    good("order-reversed", "the header names the last tensor first",
         tensors(bytes(range(12)), b=entry("F32", [2], 4, 12), a=entry("F32", [1], 0, 4)))
    good("unaligned", "an F64 behind a byte", tensors(bytes(range(9)), a=entry("U8", [1], 0, 1), b=entry("F64", [1], 1, 9)))
    good("tensors-2000", "2,000 tensors of a byte",
         tensors(bytes(n % 256 for n in range(2000)), **{f"t{n}": entry("U8", [1], n, n + 1) for n in range(2000)}))
    good("nan-payloads", "NaNs, -0 and subnormals, kept bit for bit",
         tensors(struct.pack("<4I", 0x7F800001, 0xFFFFFFFF, 0x80000000, 1), t=entry("F32", [4], 0, 16)))
    good("gguf-in-data", "the data begin with another format's magic", tensors(b"GGUF\3\0\0\0", t=entry("U8", [8], 0, 8)))
