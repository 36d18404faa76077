#!/usr/bin/env python3
"""Seeds of Fuzz/Seeds that need no other program: make-layout-seeds.py FUZZ_SEEDS

Tensors as small as each layout of `Sources/Layouts` has them, with random bytes, behind a line of config.json; and a
file of torch.save as SpQR's quantizer writes it, taken from the tests, whole and as the fuzzer takes it apart.
"""

import json
import random
import struct
import sys
import zipfile
from pathlib import Path

SIZES = {"F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U32": 4, "U8": 1, "F8_E4M3": 1}


def floats(dtype, count):
    pattern = {"F32": "<f", "F16": "<e"}.get(dtype)
    values = [random.uniform(0.01, 0.1) for _ in range(count)]
    if dtype == "BF16":
        return b"".join(struct.pack("<f", value)[2:] for value in values)
    return b"".join(struct.pack(pattern, value) for value in values)


def content(dtype, shape, given):
    count = 1
    for side in shape:
        count *= side
    if given is not None:
        return given if isinstance(given, bytes) else struct.pack(f"<{count}{ {8: 'q', 4: 'i', 1: 'b'}[SIZES[dtype]]}", *given)
    return floats(dtype, count) if dtype in ("F32", "F16", "BF16") else random.randbytes(count * SIZES[dtype])


def seed(tensors, config):
    """A line of config.json and a safetensors file of (name, dtype, shape[, values])."""
    header, data = {}, b""
    for name, dtype, shape, *given in tensors:
        made = content(dtype, shape, given[0] if given else None)
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(made)]}
        data += made
    text = json.dumps(header, separators=(",", ":")).encode()
    return json.dumps(config).encode() + b"\n" + struct.pack("<Q", len(text)) + text + data


def method(name, **others):
    return {"quantization_config": {"quant_method": name, **others}}


def compressed(**weights):
    return method("compressed-tensors", version="0.9.0", config_groups={"g": {"weights": weights}})


STATE = b'{"quant_type":"nf4","blocksize":64,"shape":[8,64],"nested_blocksize":256,"nested_offset":0.1,"nested_dtype":"float32"}'

LAYOUTS = {
    "gptq-index": (
        [("a.qweight", "I32", [4, 16]), ("a.qzeros", "I32", [2, 2]), ("a.scales", "F16", [2, 16]),
         ("a.g_idx", "I32", [32], [i % 2 for i in range(32)])],
        method("gptq", bits=4, group_size=16, checkpoint_format="gptq_v2")),
    "gptq-3-bit": (
        [("a.qweight", "I32", [3, 32]), ("a.qzeros", "I32", [1, 3]), ("a.scales", "F16", [1, 32])],
        method("gptq", bits=3, group_size=-1)),
    "awq-gemv": (
        [("a.qweight", "I32", [16, 16]), ("a.qzeros", "I32", [16, 1]), ("a.scales", "F16", [16, 8])],
        method("awq", bits=4, group_size=32, version="gemv")),
    "awq-fast": (
        [("a.qweight", "I16", [4, 64]), ("a.qzeros", "F16", [8, 16]), ("a.scales", "F16", [8, 16])],
        method("awq", bits=4, group_size=32, version="gemv_fast")),
    "bnb-nested": (
        [("a.weight", "U8", [256, 1]), ("a.weight.absmax", "U8", [8]), ("a.weight.quant_map", "F32", [16]),
         ("a.weight.nested_absmax", "F32", [1]), ("a.weight.nested_quant_map", "F32", [256]),
         ("a.weight.quant_state.bitsandbytes__nf4", "U8", [len(STATE)], STATE)], {}),
    "llm-int8": ([("a.weight", "I8", [8, 16]), ("a.SCB", "F32", [8]), ("a.weight_format", "U8", [1], [0])], {}),
    "packed-index": (
        [("a.weight_packed", "I32", [8, 4]), ("a.weight_scale", "BF16", [8, 2]),
         ("a.weight_zero_point", "I32", [1, 2]), ("a.weight_shape", "I64", [2], [8, 32]),
         ("a.weight_g_idx", "I32", [32], [i % 2 for i in range(32)])], compressed(num_bits=4, group_size=16)),
    "packed-experts": (
        [("a.weight_packed", "I32", [2, 8, 4]), ("a.weight_scale", "BF16", [2, 8, 1]),
         ("a.weight_shape", "I64", [2], [8, 30])], compressed(num_bits=3, group_size=32)),
    "int-quantized": (
        [("a.weight", "I8", [8, 16]), ("a.weight_scale", "F32", [8, 1]), ("a.weight_zero_point", "I8", [8, 1])],
        compressed(num_bits=8)),
    "mlx-mxfp4": ([("a.weight", "U32", [4, 8]), ("a.scales", "U8", [4, 2])], {"quantization": {"mode": "mxfp4"}}),
    "mlx-3-bit": (
        [("a.weight", "U32", [4, 6]), ("a.scales", "F16", [4, 1]), ("a.biases", "F16", [4, 1])],
        {"quantization": {"bits": 3, "group_size": 64}}),
    "hqq": (
        [("a.W_q", "U8", [4, 16]), ("a.scale", "F16", [8, 1]), ("a.zero", "F16", [8, 1]),
         ("a.shape", "I64", [2], [8, 16]), ("a.nbits", "I32", [1], [4]), ("a.axis", "I32", [1], [1])],
        method("hqq")),
    "quanto-int4": (
        [("a.weight._data._data", "U8", [4, 16]), ("a.weight._scale", "F32", [8, 1]),
         ("a.weight._shift", "F32", [8, 1])], {}),
    "quanto-int8": ([("a.weight._data", "I8", [8, 16]), ("a.weight._scale", "F32", [8, 1])], {}),
    "torchao": (
        [("a._weight_qdata", "I8", [8, 16]), ("a._weight_scale", "F32", [8, 1]),
         ("a._weight_zero_point", "I8", [8, 1])], {}),
    "bitnet": (
        [("a.weight", "U8", [4, 16]), ("a.weight_scale", "F32", [1])],
        method("bitnet", linear_class="bitlinear")),
    "gemma": (
        [("model.layers.0.a.weight", "U8", [8, 8]), ("model.layers.0.a.weight_scale", "F32", [8, 1])],
        method("gemma", num_bits=4, module_quant_configs={r"layers\.(0|[1-9]\d*)\.a$": {"num_bits": 2}})),
    "aqlm": (
        [("a.codebooks", "F16", [2, 8, 1, 8]), ("a.codes", "I8", [4, 2, 2]), ("a.scales", "F16", [4, 1, 1, 1])],
        method("aqlm")),
    "gpt-oss": (
        [("m.experts.down_proj_blocks", "U8", [2, 4, 1, 16]), ("m.experts.down_proj_scales", "U8", [2, 4, 1])],
        method("mxfp4")),
    "modelopt-nvfp4": (
        [("a.weight", "U8", [4, 16]), ("a.weight_scale", "F8_E4M3", [4, 2]), ("a.weight_scale_2", "F32", [])],
        method("modelopt")),
    "modelopt-int4": (
        [("a.weight", "U8", [4, 16]), ("a.weight_scale", "F32", [8, 1]), ("a.pre_quant_scale", "BF16", [16])],
        method("modelopt")),
    "fp8-rows": ([("a.weight", "F8_E4M3", [4, 16]), ("a.weight_scale", "F32", [4, 1])], method("fbgemm_fp8")),
    "fp8-experts": (
        [("a.weight", "F8_E4M3", [2, 4, 16]), ("a.weight_scale_inv", "F32", [2, 1, 2])],
        method("fp8", weight_block_size=[4, 8])),
    "spqr": (
        [("a.dense_weights", "I64", [32], bytes(256)), ("a.row_offsets", "I32", [17], [0] + [1] * 16),
         ("a.col_vals", "I32", [1], [0x3C000003]), ("a.in_perm", "I32", [16], [i * 0x20002 + 0x10000 for i in range(16)])],
        {}),
}


def torch_seeds(source, target):
    """The archive, and its pickle with the bytes of all storages behind one another."""
    with zipfile.ZipFile(source) as archive:
        names = archive.namelist()
        pickle = next(archive.read(name) for name in names if name.endswith("data.pkl"))
        storages = [archive.read(name) for name in names if "/data/" in name]
    # What its directory's arguments would say, so that one file serves as all.
    pickle = pickle[:-2] + b"X\x05\x00\x00\x00wbitsK\x03" + pickle[-2:]
    apart = struct.pack("<H", 0x8000 | len(pickle)) + pickle + max(storages, key=len)
    (target / "apart").write_bytes(apart)
    with zipfile.ZipFile(target / "whole", "w") as archive:
        archive.writestr(zipfile.ZipInfo("m/data.pkl"), pickle)
        for index, storage in enumerate(storages):
            archive.writestr(zipfile.ZipInfo(f"m/data/{index}"), storage)


def main():
    random.seed(7)
    seeds = Path(sys.argv[1])
    for name, (tensors, config) in LAYOUTS.items():
        (seeds / "Layouts" / name).write_bytes(seed(tensors, config))
    (seeds / "Torch").mkdir(exist_ok=True)
    torch_seeds("Tests/LayoutsTests/Goldens/legacy-spqr/model/0/mlp.down_proj", seeds / "Torch")


main()
