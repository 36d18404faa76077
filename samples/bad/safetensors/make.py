"""Writes the samples of this folder: python3 make.py"""
import json
import os
import struct

HERE = os.path.dirname(os.path.abspath(__file__))


def save(name, data):
    path = os.path.join(HERE, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data)


def raw(name, header, data=b"", length=None):
    if isinstance(header, str):
        header = header.encode()
    save(name + ".safetensors", struct.pack("<Q", len(header) if length is None else length) + header + data)


def info(dtype='"F32"', shape="[1]", offsets="[0,4]", more=""):
    return '{"dtype":%s,"shape":%s,"data_offsets":%s%s}' % (dtype, shape, offsets, more)


def one(name, tensor, data=bytes(4)):
    raw(name, '{"a":%s}' % tensor, data)


def two(name, first, second, data):
    raw(name, '{"a":%s,"b":%s}' % (first, second), data)


save("header-too-small.safetensors", bytes(7))
raw("header-too-large", "{}", length=100_000_001)
raw("invalid-header-length", "{}", length=3)
raw("invalid-header", b'{"\xed\xa0\x80":1}')

PROBLEM = "invalid-header-deserialization-"
raw(PROBLEM + "not-json", "{")
raw(PROBLEM + "not-an-object", "[]")
raw(PROBLEM + "trailing-nul", "{}\0")
raw(PROBLEM + "byte-order-mark", "\ufeff{}")
raw(PROBLEM + "control-character", '{"a\n":1}')
one(PROBLEM + "trailing-comma", info(more=","))
one(PROBLEM + "lone-surrogate", info(more=',"x":"\\ud800"'))
one(PROBLEM + "invalid-escape", info(more=',"x":"\\x41"'))
one(PROBLEM + "invalid-number", info(shape="[01]"))
one(PROBLEM + "number-out-of-range", info(more=',"x":1e999'))
one(PROBLEM + "too-deep", info(more=',"x":' + "[" * 126 + "]" * 126))
raw(PROBLEM + "metadata-value", '{"__metadata__":{"a":1}}')
raw(PROBLEM + "duplicate-metadata", '{"__metadata__":null,"__metadata__":{}}')
one(PROBLEM + "duplicate-field", info(more=',"d\\u0074ype":"F32"'))
one(PROBLEM + "missing-field", '{"dtype":"F32","shape":[1]}')
one(PROBLEM + "unknown-dtype", info(dtype='"F8_E4M3FN"'))
one(PROBLEM + "invalid-dtype", info(dtype='{"F32":{}}'))
one(PROBLEM + "invalid-integer", info(shape="[-0]"))
one(PROBLEM + "wrong-count-offsets", info(offsets="[0]"))
one(PROBLEM + "wrong-count-array", '["F32",[1],[0,4],1]')

two("invalid-offset-hole", info(), info(offsets="[5,9]"), bytes(9))
two("invalid-offset-overlap", info(), info(offsets="[2,6]"), bytes(6))
one("invalid-offset-start", info(offsets="[1,5]"), bytes(5))
one("invalid-offset-reversed", info(shape="[0]", offsets="[0,0]").replace("[0,0]", "[4,0]"))
one("validation-overflow-elements", info(shape="[4294967296,4294967296,0]", offsets="[0,0]"), b"")
one("validation-overflow-bits", info(shape="[2,9223372036854775807]"))
one("misaligned-slice", info(dtype='"F4"', shape="[1,3]", offsets="[0,2]"), bytes(2))
one("tensor-invalid-info", info(dtype='"I32"', shape="[2,2]"))
one("metadata-incomplete-buffer-short", info(), bytes(2))
one("metadata-incomplete-buffer-long", info(), bytes(5))
raw("duplicate-name", '{"a":%s,"a":%s}' % (info(offsets="[0,4]"), info(offsets="[0,4]")), bytes(4))
raw("duplicate-name-escaped", '{"a":%s,"\\u0061":%s}' % (info(), info()), bytes(4))
one("shape-out-of-range", info(shape="[9223372036854775808,0]", offsets="[0,0]"), b"")


def shards(folder, weight_map, index="model.safetensors.index.json", **files):
    """A checkpoint whose files hold the named tensors, each one F32."""
    for file, names in files.items():
        entries = ['"%s":%s' % (n, info(offsets="[%d,%d]" % (4 * i, 4 * i + 4))) for i, n in enumerate(names)]
        raw(folder + "/" + file, "{%s}" % ",".join(entries), bytes(4 * len(names)))
    if weight_map is not None:
        save(folder + "/" + index, json.dumps({"metadata": {}, "weight_map": weight_map}).encode())


def index(name, text):
    save("index-%s.safetensors.index.json" % name, text.encode())


index("not-json", '{"weight_map":{}')
index("duplicate-key", '{"weight_map":{"a":"x.safetensors","\\u0061":"y.safetensors"}}')
index("not-an-object", "[]")
index("no-weight-map", '{"metadata":{}}')
index("weight-map-array", '{"weight_map":[]}')
index("metadata-string", '{"metadata":"x","weight_map":{}}')
index("shard-not-a-string", '{"weight_map":{"a":1}}')
index("shard-absolute", '{"weight_map":{"a":"/tmp/x.safetensors"}}')
index("shard-parent", '{"weight_map":{"a":"sub/../../x.safetensors"}}')
index("shard-backslash", '{"weight_map":{"a":"..\\\\x.safetensors"}}')
index("shard-drive", '{"weight_map":{"a":"C:x.safetensors"}}')
index("shard-nul", '{"weight_map":{"a":"x\\u0000.safetensors"}}')
index("shard-empty", '{"weight_map":{"a":""}}')
index("shard-wrong-extension", '{"weight_map":{"a":"x.bin"}}')
X, Y = "x.safetensors", "y.safetensors"
shards("missing-shard", {"a": X, "b": Y}, x=["a"])
shards("missing-shard-unindexed", None, **{"model-00001-of-00002": ["a"]})
shards("tensor-not-in-shard", {"a": X, "b": X}, x=["a"])
shards("tensor-in-other-shard", {"a": Y, "b": X}, x=["a"], y=["b"])
shards("tensor-not-in-index", {"a": X}, x=["a", "b"])
shards("tensor-in-two-shards", {"a": X, "b": Y}, x=["a"], y=["b", "a"])
shards("tensor-in-two-shards-unindexed", None, x=["a"], y=["a"])
shards("ambiguous-model", {"a": X}, x=["a"], model=["a"])
shards("ambiguous-index", {"a": X}, "p.safetensors.index.json", x=["a"])
shards("ambiguous-index", {"a": X}, "q.safetensors.index.json")
