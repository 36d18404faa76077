"""Decodes the planes of a span to values, from specs/codecs/*.md alone. All arithmetic is F32, as the pages ask.
Floats come as float32 (F64 as float64), integers and booleans as themselves."""
import numpy as np
import bale_ggml
import bale_sparse

F32 = np.float32
# Bits, exponent bits, mantissa bits, bias, and which codes are not numbers: specs/codecs/plain.md.
MINIFLOATS = {
    "F8_E5M2": (8, 5, 2, 15, "ieee"), "F8_E4M3": (8, 4, 3, 7, "last"), "F8_E5M2FNUZ": (8, 5, 2, 16, "fnuz"),
    "F8_E4M3FNUZ": (8, 4, 3, 8, "fnuz"), "F6_E3M2": (6, 3, 2, 3, None), "F6_E2M3": (6, 2, 3, 1, None),
    "F4": (4, 2, 1, 1, None),
}
MX = {"mxfp4": "F4", "mxfp6e2m3": "F6_E2M3", "mxfp6e3m2": "F6_E3M2", "mxfp8e4m3": "F8_E4M3", "mxfp8e5m2": "F8_E5M2"}
NATIVE = {"F64": "<f8", "I8": "i1", "I16": "<i2", "I32": "<i4", "I64": "<i8", "U8": "u1", "U16": "<u2", "U32": "<u4",
          "U64": "<u8", "C64": "<c8", "F32": "<f4"}
NF4 = [-1, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635, -0.18477343022823334,
       -0.09105003625154495, 0, 0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224,
       0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1]
FP4 = [0, 0.005208333333, 0.66666667, 1, 0.33333333, 0.5, 0.16666667, 0.25]


def minifloats(name):
    """The value of every code of a type of at most 8 bits."""
    bits, exponent_bits, mantissa_bits, bias, special = MINIFLOATS[name]
    codes = np.arange(1 << bits)
    mantissa, exponent = codes & ((1 << mantissa_bits) - 1), codes >> mantissa_bits & ((1 << exponent_bits) - 1)
    values = np.where(exponent > 0, np.ldexp(1 + mantissa / (1 << mantissa_bits), exponent - bias),
                      np.ldexp(mantissa / (1 << mantissa_bits), 1 - bias)).astype(F32)
    values = np.where(codes >> (bits - 1), -values, values)
    if special == "last":
        values[[0x7F, 0xFF]] = np.nan
    elif special == "fnuz":
        values[0x80] = np.nan
    elif special == "ieee":
        for sign, first in ((1, 0x7C), (-1, 0xFC)):
            values[first], values[first + 1:first + 4] = sign * np.inf, np.nan
    return values


def powers(scales):
    """E8M0 bytes as F32."""
    return np.ldexp(F32(1), scales.astype(np.int32) - 127).astype(F32)


def floats(data, dtype):
    """Little-endian floats of a plain dtype as F32."""
    if dtype == "BF16":
        return (np.frombuffer(data, "<u2").astype("<u4") << 16).view("<f4")
    return np.frombuffer(data, {"F16": "<f2", "F32": "<f4"}[dtype]).astype(F32)


def unpack(data, bits, rows, columns):
    """Codes of `bits` bits: a little-endian bit stream in each row, which starts on a byte."""
    stream = np.frombuffer(data, np.uint8).reshape(rows, -(-columns * bits // 8))
    single = np.unpackbits(stream, axis=1, bitorder="little")[:, :columns * bits].reshape(rows, columns, bits)
    return (single.astype(np.int32) << np.arange(bits)).sum(axis=2)


def spread(values, group, columns):
    """One value a group of each row, to one an element."""
    return np.repeat(values, group, axis=1)[:, :columns]


def plain(dtype, elements, data):
    if dtype in NATIVE:
        return np.frombuffer(data, NATIVE[dtype])
    if dtype in ("F16", "BF16"):
        return floats(data, dtype)
    if dtype == "BOOL":
        return np.frombuffer(data, np.uint8) != 0
    if dtype == "F8_E8M0":
        codes = np.frombuffer(data, np.uint8)
        return np.where(codes == 255, F32(np.nan), powers(codes))
    return minifloats(dtype)[unpack(data, MINIFLOATS[dtype][0], 1, elements)[0]]


def rotated(planes):
    """The words whose bytes lie in planes."""
    size = len(planes)
    return sum(np.frombuffer(plane, np.uint8).astype("<u8") << np.uint64(8 * (size - 1 - p))
               for p, plane in enumerate(planes)).astype("<u%d" % size)


def joined(planes):
    """The source's bytes of split floats."""
    r = rotated(planes)
    return (r >> r.dtype.type(1) | r << r.dtype.type(8 * len(planes) - 1)).tobytes()


def split(dtype, elements, planes):
    return plain(dtype, elements, joined(planes))


def delta(operation, planes, base):
    """The source's bytes of floats stored as their difference from those of a base."""
    y = np.frombuffer(base, "<u%d" % len(planes))
    if operation == "xor":
        return (y ^ np.frombuffer(joined(planes), y.dtype)).tobytes()
    r = rotated(planes)
    return (y + (r >> r.dtype.type(1) ^ (r & r.dtype.type(1)) * r.dtype.type(-1 % (1 << 8 * len(planes))))).tobytes()


def mx(name, rows, columns, planes):
    codes = unpack(planes["codes"], MINIFLOATS[MX[name]][0], rows, columns)
    scales = np.frombuffer(planes["scales"], np.uint8).reshape(rows, -1)
    if (scales == 255).any():
        raise ValueError("an MX scale is NaN")
    return minifloats(MX[name])[codes] * spread(powers(scales), 32, columns)


def nvfp4(options, rows, columns, planes):
    table, scales = minifloats("F4").copy(), np.frombuffer(planes["scales"], np.uint8).reshape(rows, -1)
    if (scales & 127 == 127).any():
        raise ValueError("an NVFP4 scale is NaN")
    if options["zero"] == "unsigned":
        table[8] = 0
    scales = minifloats("F8_E4M3")[scales]
    if options["global"] != "none":
        factor = np.frombuffer(planes["table"], "<f4")[0]
        factor = factor / F32(2688) if options["global"] == "absmax" else factor
        scales = scales / factor if options["global"] == "divide" else scales * factor
    return table[unpack(planes["codes"], 4, rows, columns)] * spread(scales, 16, columns)


def fp8(options, elements, columns, planes):
    rows = -(-elements // columns) if columns else 0
    if options["scale"] == "E8M0":
        scales = plain("F8_E8M0", None, planes["scales"])
    else:
        scales = floats(planes["scales"], options["scale"])
    if not np.isfinite(scales).all():
        raise ValueError("an FP8 scale is not finite")
    high = max(rows, 1) if options["rows"] == "all" else int(options["rows"])
    wide = max(columns, 1) if options["columns"] == "all" else int(options["columns"])
    index = np.arange(elements)
    across = -(-columns // wide)
    which = index // max(columns, 1) // high * across + index % max(columns, 1) // wide
    return minifloats("F8_" + options["element"])[np.frombuffer(planes["codes"], np.uint8)] * scales[which]


def integer(bits, options, rows, columns, planes):
    group, second = options["group"], int(options.get("second", 1))
    codes = unpack(planes["codes"], bits, rows, columns)
    if options["zero"] == "none":
        codes = np.where(codes >= 1 << (bits - 1), codes - (1 << bits), codes)
    if group == "column":
        def each(values): return values.reshape(1, columns)
    else:
        length = columns if group == "row" else int(group)
        def each(values): return spread(values.reshape(rows, -1), length, columns)
    if "second" in options:
        pairs = np.frombuffer(planes["secondLevel"], "<f4").reshape(rows, -1, 2)
        scales = np.frombuffer(planes["scales"], np.uint8).astype(F32).reshape(rows, -1)
        groups = scales.shape[1]
        scales = scales * spread(pairs[:, :, 0], second, groups) + spread(pairs[:, :, 1], second, groups)
    else:
        scales = floats(planes["scales"], options["scale"])
    if options["zero"] == "none":
        return codes.astype(F32) * each(scales)
    if options["zero"] == "code":
        zeros = np.frombuffer(planes["zeroPoints"], np.uint8).astype(np.int32)
        return (codes - each(zeros)).astype(F32) * each(scales)
    return codes.astype(F32) * each(scales) + each(floats(planes["zeroPoints"], options["zero"]))


def table4(name, options, elements, planes):
    table = np.array(NF4 if name == "nf4" else FP4 + [-v for v in FP4], F32)
    if name == "fp4":
        table[8] = 0
    pairs = np.frombuffer(planes["codes"], np.uint8)
    codes = np.stack([pairs >> 4, pairs & 15], axis=1).reshape(-1)[:elements]
    if "second" in options:
        stored = np.frombuffer(planes["table"], "<f4")
        second = np.repeat(np.frombuffer(planes["secondLevel"], "<f4"), int(options["second"]))
        scales = np.frombuffer(planes["scales"], np.uint8)
        scales = stored[scales] * second[:len(scales)] + stored[256]
    else:
        scales = np.frombuffer(planes["scales"], "<f4")
    return table[codes] * np.repeat(scales, int(options["block"]))[:elements]


def decode(descriptor, elements, columns, roles, data):
    """The values of a span of `elements` elements, whose tensor has rows of `columns`, in the order of the file."""
    name, _, text = descriptor.partition(":")
    options = dict(pair.split("=") for pair in text.split(",")) if text else {}
    planes = dict(zip(roles, data))
    # Where a span may end inside a row, rows are packed without a gap: the span is then one row.
    rows, width = (elements // columns, columns) if columns and elements % columns == 0 else (1, elements)
    if name == "plain":
        return plain(options["dtype"], elements, data[0])
    if name == "split":
        return split(options["dtype"], elements, data)
    if name in MX:
        return mx(name, rows, width, planes).reshape(-1)
    if name == "nvfp4":
        return nvfp4(options, rows, width, planes).reshape(-1)
    if name == "fp8":
        return fp8(options, elements, columns, planes)
    if name in ("nf4", "fp4"):
        return table4(name, options, elements, planes)
    if name.startswith("int") and name[3:].isdigit():
        return integer(int(name[3:]), options, rows, width, planes).reshape(-1)
    if name == "ggml":
        return bale_ggml.decode(options["type"], data[0])
    if name == "ternary":
        return bale_sparse.ternary(options, elements, planes, floats)
    if name in ("bilevel", "spqr"):
        return bale_sparse.tiles(name, options, rows, width, planes, floats)
    if name == "trellis":
        return bale_sparse.trellis(rows, width, planes)
    raise ValueError("the encoding '%s' is not known" % descriptor)
