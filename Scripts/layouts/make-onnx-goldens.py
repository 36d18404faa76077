#!/usr/bin/env python3
"""Writes Tests/LayoutsTests/Goldens/onnx: small ONNX models with quantized weights, each with the floats that ONNX
Runtime makes of them (where its CPU provider lacks a type, onnx's reference evaluator).

    out/layout-libraries/bin/python Scripts/layouts/make-onnx-goldens.py Tests/LayoutsTests/Goldens/onnx
"""
import pathlib
import sys

import ml_dtypes
import numpy
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from safetensors.numpy import load_file, save_file

generator = numpy.random.default_rng(4)


def packed(name, kind, values, bits):
    """A tensor of codes narrower than a byte, first in the lowest bits."""
    flat = values.astype(numpy.int64).ravel() & (1 << bits) - 1
    per = 8 // bits
    flat = numpy.pad(flat, (0, -len(flat) % per)).reshape(-1, per)
    raw = (flat << numpy.arange(per) * bits).sum(1).astype(numpy.uint8).tobytes()
    return helper.make_tensor(name, kind, values.shape, raw, raw=True)


KINDS = {
    "int8": (TensorProto.INT8, 8, True), "uint8": (TensorProto.UINT8, 8, False),
    "int4": (TensorProto.INT4, 4, True), "uint4": (TensorProto.UINT4, 4, False),
    "int2": (TensorProto.INT2, 2, True), "uint2": (TensorProto.UINT2, 2, False),
    "int16": (TensorProto.INT16, 16, True), "uint16": (TensorProto.UINT16, 16, False),
    "int32": (TensorProto.INT32, 32, True),
}


def integers(name, kind, shape):
    number, bits, signed = KINDS[kind]
    low, high = (-(1 << bits - 1), 1 << bits - 1) if signed else (0, 1 << bits)
    values = generator.integers(low, high, shape)
    if bits < 8:
        return packed(name, number, values, bits)
    return numpy_helper.from_array(values.astype(kind), name)


def scales(name, shape, dtype=numpy.float32):
    values = generator.uniform(0.001, 0.02, shape).astype(dtype)
    return numpy_helper.from_array(numpy.array(values), name)


def linear(graph, name, codes, scale, zeros=None, **attributes):
    inputs = [codes.name, scale.name] + ([zeros.name] if zeros is not None else [])
    graph["nodes"].append(helper.make_node("DequantizeLinear", inputs, [f"{name}_out"], **attributes))
    for tensor in (codes, scale, zeros):
        if tensor is not None and all(tensor.name != other.name for other in graph["tensors"]):
            graph["tensors"].append(tensor)
    graph["outputs"].append((codes.name, f"{name}_out", scale.data_type))


def graph_of(graph, opset=25):
    outputs = [helper.make_tensor_value_info(out, kind, None) for _, out, kind in graph["outputs"]]
    made = helper.make_graph(graph["nodes"], "g", graph.get("inputs", []), outputs, graph["tensors"])
    return helper.make_model(
        made, opset_imports=[helper.make_opsetid("", opset), helper.make_opsetid("com.microsoft", 1)], ir_version=11)


def new():
    return {"nodes": [], "tensors": [], "outputs": []}


def evaluate(model, feeds, reference=False):
    if reference:
        return ReferenceEvaluator(model).run(None, feeds)
    return onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"]).run(None, feeds)


def save(folder, name, graph, opset=25, reference=False, external=False, feeds=None):
    model = graph_of(graph, opset)
    values = evaluate(model, feeds or {}, reference)
    expected = {
        weight: numpy.ascontiguousarray(value.astype(numpy.float32))
        for (weight, _, _), value in zip(graph["outputs"], values)}
    for weight, turned in graph.get("turned", {}).items():
        expected[weight] = numpy.ascontiguousarray(expected[weight].T) if turned else expected[weight]
    save_file(expected, folder / f"{name}.expected.safetensors")
    if external:
        (folder / name).mkdir(exist_ok=True)
        (folder / f"{name}/weights.bin").unlink(missing_ok=True)
        onnx.save(model, folder / f"{name}/model.onnx", save_as_external_data=True, location="weights.bin",
                  size_threshold=16)
    else:
        onnx.save(model, folder / f"{name}.onnx")


def qdq(folder):
    graph = new()
    for kind in ["int8", "uint8", "int4", "uint4"]:
        for zeroed in [False, True]:
            tag = f"{kind}{'z' if zeroed else ''}"

            def zero(shape, suffix):
                return integers(f"{tag}_{suffix}_z", kind, shape) if zeroed else None

            linear(graph, f"{tag}_tensor", integers(f"{tag}_tensor", kind, (3, 5)), scales(f"{tag}_tensor_s", ()),
                   zero((), "tensor"))
            linear(graph, f"{tag}_row", integers(f"{tag}_row", kind, (4, 6)), scales(f"{tag}_row_s", (4,)),
                   zero((4,), "row"), axis=0)
            linear(graph, f"{tag}_column", integers(f"{tag}_column", kind, (4, 6)), scales(f"{tag}_column_s", (6,)),
                   zero((6,), "column"), axis=1)
            linear(graph, f"{tag}_odd", integers(f"{tag}_odd", kind, (3, 7)), scales(f"{tag}_odd_s", (7,)),
                   zero((7,), "odd"), axis=-1)
            linear(graph, f"{tag}_kernel", integers(f"{tag}_kernel", kind, (3, 2, 3, 3)), scales(f"{tag}_kernel_s", (3,)),
                   zero((3,), "kernel"), axis=0)
            linear(graph, f"{tag}_inner", integers(f"{tag}_inner", kind, (2, 3, 4)), scales(f"{tag}_inner_s", (3,)),
                   zero((3,), "inner"), axis=1)
            linear(graph, f"{tag}_blocks", integers(f"{tag}_blocks", kind, (4, 32)), scales(f"{tag}_blocks_s", (4, 2)),
                   zero((4, 2), "blocks"), axis=1, block_size=16)
            linear(graph, f"{tag}_down", integers(f"{tag}_down", kind, (32, 6)), scales(f"{tag}_down_s", (2, 6)),
                   zero((2, 6), "down"), axis=0, block_size=16)
    linear(graph, "half", integers("half", "int8", (4, 6)), scales("half_s", (4,), numpy.float16), axis=0)
    linear(graph, "wide", integers("wide", "int16", (4, 6)), scales("wide_s", (4,)), integers("wide_z", "int16", (4,)),
           axis=0)
    linear(graph, "wide_u", integers("wide_u", "uint16", (4, 6)), scales("wide_u_s", (6,)), axis=1)
    linear(graph, "bias", integers("bias", "int32", (6,)), scales("bias_s", (6,)), axis=0)
    save(folder, "qdq", graph)

    graph = new()
    for kind in ["int2", "uint2"]:
        linear(graph, kind, integers(kind, kind, (4, 32)), scales(f"{kind}_s", (4, 2)), integers(f"{kind}_z", kind, (4, 2)),
               axis=1, block_size=16)
    for kind, dtype in [("e4m3", ml_dtypes.float8_e4m3fn), ("e5m2", ml_dtypes.float8_e5m2),
                        ("e4m3fnuz", ml_dtypes.float8_e4m3fnuz), ("e5m2fnuz", ml_dtypes.float8_e5m2fnuz)]:
        def floats(name, shape):
            return numpy_helper.from_array(generator.normal(0, 1, shape).astype(dtype), name)
        linear(graph, kind, floats(kind, (4, 6)), scales(f"{kind}_s", ()))
        linear(graph, f"{kind}_row", floats(f"{kind}_row", (4, 6)), scales(f"{kind}_row_s", (4,)), axis=0)
        linear(graph, f"{kind}_column", floats(f"{kind}_column", (4, 6)), scales(f"{kind}_column_s", (6,)), axis=1)
        linear(graph, f"{kind}_blocks", floats(f"{kind}_blocks", (4, 32)), scales(f"{kind}_blocks_s", (4, 2)), axis=1,
               block_size=16)
    linear(graph, "e2m1", packed("e2m1", TensorProto.FLOAT4E2M1, generator.integers(0, 16, (4, 32)), 4),
           scales("e2m1_s", (4, 2)), axis=1, block_size=16)
    save(folder, "qdq_floats", graph, reference=True)


def stored(folder):
    """Numbers in typed fields, constants, shared scales, a weight that two nodes dequantize alike."""
    graph = new()
    values = generator.integers(-128, 128, (4, 6)).tolist()
    typed = helper.make_tensor("typed", TensorProto.INT8, (4, 6), sum(values, []))
    scale = helper.make_tensor("shared_s", TensorProto.FLOAT, (4,), [0.5, 0.25, 0.003, 0.007])
    linear(graph, "typed", typed, scale, axis=0)
    linear(graph, "other", integers("other", "int8", (4, 8)), scale, axis=0)
    graph["nodes"].append(helper.make_node("DequantizeLinear", ["other", "shared_s"], ["again"], axis=0))
    halves = helper.make_tensor("halves_s", TensorProto.FLOAT16, (4,), numpy.array([0.5, 0.25, 0.3, 0.7], numpy.float16))
    linear(graph, "halves", integers("halves", "uint8", (4, 8)), halves, axis=0)
    constant = integers("constant", "int4", (4, 8))
    linear(graph, "constant", constant, scales("constant_s", (4,)), axis=0)
    graph["tensors"].remove(next(tensor for tensor in graph["tensors"] if tensor.name == "constant"))
    graph["nodes"].insert(0, helper.make_node("Constant", [], ["constant"], value=constant))
    save(folder, "qdq_stored", graph)


def trained(folder):
    """Floats that the graph itself quantizes, as quantization-aware training leaves them."""
    graph = new()
    for tag, kind, shape, scale_shape, zeroed, attributes in [
        ("row", "int8", (4, 6), (4,), False, {"axis": 0}), ("all", "uint8", (4, 6), (), True, {}),
        ("column", "int8", (4, 6), (6,), True, {"axis": 1}),
        ("blocks", "int4", (4, 32), (4, 2), True, {"axis": 1, "block_size": 16}),
    ]:
        weight = numpy_helper.from_array(generator.normal(0, 0.03, shape).astype(numpy.float32), tag)
        scale = scales(f"{tag}_s", scale_shape)
        zero = integers(f"{tag}_z", kind, scale_shape) if zeroed else integers_of_zero(f"{tag}_z", kind, scale_shape)
        graph["tensors"] += [weight, scale, zero]
        graph["nodes"].append(helper.make_node("QuantizeLinear", [tag, scale.name, zero.name], [f"{tag}_q"], **attributes))
        graph["nodes"].append(
            helper.make_node("DequantizeLinear", [f"{tag}_q", scale.name, zero.name], [f"{tag}_out"], **attributes))
        graph["outputs"].append((tag, f"{tag}_out", TensorProto.FLOAT))
    save(folder, "qdq_trained", graph)


def integers_of_zero(name, kind, shape):
    return numpy_helper.from_array(numpy.zeros(shape, kind), name)


def external(folder):
    graph = new()
    linear(graph, "a", integers("a", "int8", (16, 64)), scales("a_s", (16,)), integers("a_z", "int8", (16,)), axis=0)
    linear(graph, "b", integers("b", "uint4", (16, 64)), scales("b_s", (16, 2)), axis=1, block_size=32)
    save(folder, "external", graph, external=True)


def matmul(folder):
    graph = new() | {"inputs": [], "turned": {}}
    feeds = {}
    for bits in [2, 4, 8]:
        for kind in ["none", "packed"] + (["floats"] if bits < 8 else []) + (["index"] if bits == 4 else []):
            outputs, inputs, block = 4, 72 if kind != "index" else 64, 32
            blocks = -(-inputs // block)
            name = f"w{bits}_{kind}"
            codes = generator.integers(0, 256, (outputs, blocks, block * bits // 8), dtype=numpy.uint8)
            tensors = [numpy_helper.from_array(codes, name), scales(f"{name}_s", (outputs * blocks,))]
            names = ["x%d" % inputs, name, f"{name}_s"]
            if kind == "packed":
                zeros = generator.integers(0, 256, (outputs * -(-blocks * bits // 8),), dtype=numpy.uint8)
                tensors.append(numpy_helper.from_array(zeros, f"{name}_z"))
                names.append(f"{name}_z")
            if kind == "floats":
                zeros = generator.uniform(0, 1 << bits, (outputs * blocks,)).astype(numpy.float32)
                tensors.append(numpy_helper.from_array(zeros, f"{name}_z"))
                names.append(f"{name}_z")
            if kind == "index":
                index = generator.permutation(numpy.arange(inputs) // block).astype(numpy.int32)
                tensors.append(numpy_helper.from_array(index, f"{name}_i"))
                names += ["", f"{name}_i"]
            graph["tensors"] += tensors
            graph["nodes"].append(helper.make_node(
                "MatMulNBits", names, [f"{name}_out"], domain="com.microsoft", K=inputs, N=outputs, bits=bits,
                block_size=block))
            graph["outputs"].append((name, f"{name}_out", TensorProto.FLOAT))
            graph["turned"][name] = True
            if f"x{inputs}" not in feeds:
                feeds[f"x{inputs}"] = numpy.eye(inputs, dtype=numpy.float32)
                graph["inputs"].append(helper.make_tensor_value_info(f"x{inputs}", TensorProto.FLOAT, [None, inputs]))
    save(folder, "matmulnbits", graph, feeds=feeds, opset=21)
    follow_formula(folder, graph)


def follow_formula(folder, graph):
    """Where zero points are floats, or an index names the groups, ONNX Runtime computes q * scale - zero * scale, which
    is the operator's (q - zero) * scale but for the last bit: there the golden is that."""
    known = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph["tensors"]}
    values = load_file(folder / "matmulnbits.expected.safetensors")
    for node in graph["nodes"]:
        attributes = {attribute.name: attribute.i for attribute in node.attribute}
        bits, rows, columns, block = (attributes[key] for key in ["bits", "N", "K", "block_size"])
        blocks = -(-columns // block)

        def fields(packed):
            split = [packed >> bits * i & (1 << bits) - 1 for i in range(8 // bits)]
            return numpy.stack(split, -1).reshape(rows, -1).astype(numpy.float32)

        name = node.input[1]
        inputs = list(node.input) + [""] * 5
        zeros = numpy.full((rows, blocks), 1 << bits - 1, numpy.float32)
        if inputs[3]:
            stored = known[inputs[3]]
            zeros = fields(stored)[:, :blocks] if stored.dtype == numpy.uint8 else stored.reshape(rows, blocks)
        index = known[inputs[4]] if inputs[4] else numpy.arange(columns) // block
        made = (fields(known[name])[:, :columns] - zeros[:, index]) * known[inputs[2]].reshape(rows, blocks)[:, index]
        if name.endswith(("floats", "index")):
            assert numpy.allclose(made, values[name], rtol=0, atol=1e-7), name
            values[name] = made
        else:
            assert numpy.array_equal(made, values[name]), name
    save_file(values, folder / "matmulnbits.expected.safetensors")


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for make in (qdq, stored, external, matmul, trained):
        make(folder)


if __name__ == "__main__":
    main()
