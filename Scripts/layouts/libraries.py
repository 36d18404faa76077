"""The libraries that Bale's layouts are compared with: how each computes the weights of a module, on the CPU.

Run by itself, it tells which of them can be imported.
"""
import importlib
import importlib.metadata
import importlib.util
import pathlib

PACKAGES = ["torch", "transformers", "bitsandbytes", "compressed_tensors", "gptqmodel", "autoawq", "mlx"]


def version(package):
    """The version of an installed package; None where there is none."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def file_of_package(package, path):
    """A module loaded from one file of a package that as a whole wants more than is needed here."""
    root = pathlib.Path(importlib.util.find_spec(package).origin).parent
    spec = importlib.util.spec_from_file_location(path.replace("/", "_"), root / f"{path}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def gptq(tensors, *, bits=4, group=128, version_2=False):
    """GPTQModel's linear layer on torch, filled; `dequantize_weight()` is [in, out] in F16."""
    import torch
    from gptqmodel.nn_modules.qlinear.torch import TorchLinear
    from gptqmodel.quantization import FORMAT, METHOD

    rows, columns = tensors["scales"].shape[1], tensors["g_idx"].shape[0]
    layer = TorchLinear(
        bits=bits, group_size=group, sym=False, desc_act=False, in_features=columns, out_features=rows, bias=False,
        pack_dtype=torch.int32, format=FORMAT.GPTQ_V2 if version_2 else FORMAT.GPTQ, method=METHOD.GPTQ,
        register_buffers=True)
    for name in ["qweight", "qzeros", "scales", "g_idx"]:
        setattr(layer, name, tensors[name])
    layer.post_init()
    return layer


def awq(tensors, *, bits=4, group=128):
    """AutoAWQ's dequantization on torch: [in, out] in F16."""
    packing = file_of_package("awq", "utils/packing_utils")
    return lambda: packing.dequantize_gemm(tensors["qweight"], tensors["qzeros"], tensors["scales"], bits, group)


def bitsandbytes(tensors, weight):
    """bitsandbytes' CPU kernel, from the tensors as a checkpoint stores them."""
    import bitsandbytes.functional as functional

    parts = {name.removeprefix(weight + "."): value for name, value in tensors.items() if name != weight}
    state = functional.QuantState.from_dict(parts, device="cpu")
    return lambda: functional.dequantize_4bit(tensors[weight], state)


def mxfp4(blocks, scales):
    """What transformers makes of gpt-oss's experts: [experts, in, out] in BF16."""
    from transformers.integrations.mxfp4 import convert_moe_packed_tensors

    return lambda: convert_moe_packed_tensors(blocks, scales)


if __name__ == "__main__":
    for package in PACKAGES:
        print(f"{package:20} {version(package) or 'not installed'}")
