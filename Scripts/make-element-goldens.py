#!/usr/bin/env python3
"""Writes Tests/TensorsTests/ElementGoldens.swift: digests of conversions made by ml_dtypes and numpy.

Every bit pattern of the types of at most 16 bits, and F32 patterns around every tie of the 16-bit types, are converted
to every floating-point type. Where Bale's policy (specs/codecs/plain.md) is not what ml_dtypes does, the policy is
applied here, and only to the inputs listed in `expected`; everything else is the library's own result.

    pip install numpy ml_dtypes
    python3 Scripts/make-element-goldens.py > Tests/TensorsTests/ElementGoldens.swift
"""

import hashlib
import warnings

import ml_dtypes as ml
import numpy as np

warnings.simplefilter("ignore")

FLOATS = {
    "F4": ml.float4_e2m1fn, "F6_E2M3": ml.float6_e2m3fn, "F6_E3M2": ml.float6_e3m2fn,
    "F8_E5M2": ml.float8_e5m2, "F8_E4M3": ml.float8_e4m3fn, "F8_E8M0": ml.float8_e8m0fnu,
    "F8_E4M3FNUZ": ml.float8_e4m3fnuz, "F8_E5M2FNUZ": ml.float8_e5m2fnuz,
    "F16": np.float16, "BF16": ml.bfloat16, "F32": np.float32, "F64": np.float64,
}
INTEGERS = {"BOOL": np.uint8, "U8": np.uint8, "I8": np.int8, "I16": np.int16, "U16": np.uint16}
BITS = {"F4": 4, "F6_E2M3": 6, "F6_E3M2": 6}
# Mantissa bits of the types that keep a NaN's payload, and the bits of their infinity.
PAYLOAD = {"F16": (10, 0x7C00), "BF16": (7, 0x7F80), "F32": (23, 0x7F800000), "F64": (52, 0x7FF << 52)}
LARGEST_E4M3 = 0x7E


def unsigned(array):
    return array.view(f"u{array.dtype.itemsize}")


def sources():
    for name, dtype in {**FLOATS, **INTEGERS}.items():
        size = np.dtype(dtype).itemsize
        if size <= 2:
            codes = np.arange(2 ** BITS.get(name, 8 * size), dtype=f"u{size}")
            yield name, codes, codes.view(dtype)
    lows = np.array([0, 1, 0x7FFF, 0x8000, 0x8001, 0xFFFF], np.uint32)
    codes = (np.arange(65536, dtype=np.uint32)[:, None] << 16 | lows).reshape(-1)
    yield "F32", codes, codes.view(np.float32)


def nan_payloads(source, codes, target, result):
    """What NaNs become: the leading bits of the payload, or the quiet bit where none of them is set."""
    mantissa, infinity = PAYLOAD[target]
    if source in PAYLOAD:
        width, own = PAYLOAD[source]
        payload = codes.astype(np.uint64) & np.uint64((1 << width) - 1)
        shift = mantissa - width
        payload = payload << np.uint64(shift) if shift >= 0 else payload >> np.uint64(-shift)
    else:
        payload = np.zeros(len(codes), np.uint64)
    payload[payload == 0] = 1 << (mantissa - 1)
    sign = np.signbit(result).astype(np.uint64) << np.uint64(8 * result.dtype.itemsize - 1)
    return sign | np.uint64(infinity) | payload


def expected(source, codes, values, target):
    """The codes that Bale gives, from ml_dtypes and the differences of policy."""
    if source == target:
        return codes
    values = (codes != 0).astype(np.uint8) if source == "BOOL" else values
    result = values.astype(np.float32).astype(FLOATS[target])  # exact to F32, then rounded
    out = unsigned(result).copy()
    single = values.astype(np.float32)
    nan = np.isnan(single)
    if target in PAYLOAD:
        out[nan] = nan_payloads(source, codes, target, result)[nan].astype(out.dtype)
    elif target == "F8_E4M3":  # saturates, as torch does
        over = ~nan & np.isnan(result.astype(np.float32))
        out[over] = LARGEST_E4M3 | (np.signbit(single[over]).astype(np.uint8) << 7)
    elif target in BITS:  # negative zero whatever the sign of the NaN
        out[nan] = 1 << (BITS[target] - 1)
    elif target == "F8_E8M0":
        out[single == 0] = 0  # as torch does
        odd = (single > 2.0**-127) & (single < 1.5 * 2.0**-127)
        assert np.all(out[odd] == 1)  # ml_dtypes rounds these up
        out[odd] = 0
    return out


def digest(codes):
    return hashlib.sha256(codes.astype(codes.dtype.newbyteorder("<")).tobytes()).hexdigest()[:8]


def main():
    print("// Written by Scripts/make-element-goldens.py with ml_dtypes", ml.__version__, "and numpy", np.__version__)
    print("\n/// The first 8 hex digits of the SHA-256 of each conversion; the codes of types below a byte take a byte each.")
    print("enum ElementGoldens {")
    print("  static let targets =\n    \"" + " ".join(FLOATS) + "\"\n")
    print('  static let digests = """')
    for name, codes, values in sources():
        row = [digest(expected(name, codes, values, target)) for target in FLOATS]
        print(f"    {name} {' '.join(row)}")
    print('    """\n}')


main()
