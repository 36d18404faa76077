"""Writes the samples of this folder. Needs safetensors 0.8.0 from PyPI: python3 make.py"""
import ctypes
import json
import os
import struct

import safetensors
from safetensors import TensorSpec, deserialize, serialize

assert safetensors.__version__ == "0.8.0"
HERE = os.path.dirname(os.path.abspath(__file__))
BITS = {
    "bool": 8, "float4_e2m1fn_x2": 8, "uint8": 8, "int8": 8, "float8_e5m2": 8, "float8_e4m3fn": 8,
    "float8_e8m0fnu": 8, "float8_e4m3fnuz": 8, "float8_e5m2fnuz": 8, "int16": 16, "uint16": 16, "float16": 16,
    "bfloat16": 16, "int32": 32, "uint32": 32, "float32": 32, "complex64": 64, "float64": 64, "int64": 64,
    "uint64": 64,
}


def save(name, data):
    deserialize(data)
    with open(os.path.join(HERE, name), "wb") as file:
        file.write(data)


def library(name, tensors, metadata=None):
    """A file that the Rust library writes; the bytes of every tensor are 0, 1, 2, ... 250, 0, ..."""
    specs, keep = {}, []
    for key, (dtype, shape) in tensors.items():
        count = BITS[dtype] // 8
        for dimension in shape:
            count *= dimension
        buffer = ctypes.create_string_buffer(bytes(i % 251 for i in range(count)), max(count, 1))
        keep.append(buffer)
        specs[key] = TensorSpec(dtype=dtype, shape=shape, data_ptr=ctypes.addressof(buffer), data_len=count)
    save(name, bytes(serialize(specs, metadata)))


def by_hand(name, header, data):
    save(name, struct.pack("<Q", len(header)) + header + data)


library("empty.safetensors", {})
library("metadata.safetensors", {"a": ("float32", [1])}, {'k"\\\n\u00e9': "v\u0001/\u007f"})
library("dtypes.safetensors", {f"{'ba'[i % 2]}.{d}": (d, [2, 3]) for i, d in enumerate(BITS)})
library("shapes.safetensors", {"scalar": ("float32", []), "none": ("uint8", [0]), "z": ("int64", [3, 0, 2]),
                               "deep": ("uint16", [1, 2, 1, 2, 1, 2, 1])})
library("names.safetensors", {n: ("uint8", [1]) for n in
        ["", "\0", "\b\t\n\f\r\x1f", '"\\/', "\x7f", "\u00e9", "e\u0301", "\U0001f600", "\ufb00", "Z", "a"]})
by_hand("f6.safetensors",
        b'{"b":{"dtype":"F6_E3M2","shape":[4],"data_offsets":[0,3]},'
        b'"a":{"dtype":"F6_E2M3","shape":[2,4],"data_offsets":[3,9]}}'.ljust(120), bytes(range(9)))
by_hand("mlx.safetensors",
        b'{"__metadata__":null,"a":{"data_offsets":[3,5],"dtype":"BF16","shape":[1]},'
        b'"b":{"data_offsets":[0,3],"dtype":"U8","shape":[3]}}', bytes(range(5)))
by_hand("tolerated.safetensors",
        b'\t\n\r {"a":["F32",[1],[0,4]],"b":{"extra":{"x":[1e5,null]},"dtype":{"U8":null},"shape":[],'
        b'"data_offsets":[4,5]},"\\u0063":{"dtype":"F4","shape":[2],"data_offsets":[5,6]}}\r \t\n', bytes(range(6)))

SHARDS = {"model-00001-of-00002.safetensors": {"b": ("float32", [2, 2]), "a": ("float16", [4])},
          "model-00002-of-00002.safetensors": {"c.\u00e9": ("bfloat16", [3])}}
for shard, tensors in SHARDS.items():
    library("sharded/" + shard, tensors, {"format": "pt"})
index = {"metadata": {"total_parameters": 11, "total_size": 30},
         "weight_map": {t: s for s, tensors in SHARDS.items() for t in tensors}}
with open(os.path.join(HERE, "sharded", "model.safetensors.index.json"), "w") as file:
    file.write(json.dumps(index, indent=2, sort_keys=True) + "\n")
with open(os.path.join(HERE, "sharded", "config.json"), "w") as file:
    file.write(json.dumps({"model_type": "sample"}, indent=2) + "\n")
