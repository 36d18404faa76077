"""Decodes blocks of ggml's types, from specs/codecs/ggml.md and ggml-books.md alone. A block type is a function of its
fields, arrays of a row a block, that gives the values of each block; arithmetic is F32 in the order of the page."""
import os
import numpy as np

F32, I32 = np.float32, np.int32
V = np.array([0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12], F32)
T = np.array([-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113], F32)
E32, E64, E128, E256 = np.arange(32), np.arange(64), np.arange(128), np.arange(256)


def bits(words, index, shift, mask):
    """Bits of the words that the elements pick."""
    return words[:, index].astype(np.int64) >> shift & mask


def nibbles(q):
    return np.concatenate([q & 15, q >> 4], axis=1).astype(I32)


def pairs(q):
    return bits(q, E256 // 128 * 32 + E256 % 32, 2 * (E256 // 32 % 4), 3)


def half_bytes(q):
    """Of Q4_K and Q5_K: nibble `i / 32 % 2` of byte `i / 64 * 32 + i % 32`."""
    return bits(q, E256 // 64 * 32 + E256 % 32, 4 * (E256 // 32 % 2), 15)


def q5(h, q):
    return nibbles(q) + 16 * bits(h, 0 * E32, E32, 1)


def scales_k4(s):
    s = s.astype(I32)
    low, high = s[:, :8] & 63, s[:, 8:12]
    a = np.concatenate([low[:, :4], (high & 15) + 16 * (s[:, :4] >> 6)], axis=1)
    b = np.concatenate([low[:, 4:], (high >> 4) + 16 * (s[:, 4:8] >> 6)], axis=1)
    return a.astype(F32), b.astype(F32)


def k4(d, e, s, code):
    a, b = scales_k4(s)
    return (d * a)[:, E256 // 32] * code.astype(F32) - (e * b)[:, E256 // 32]


def q2_k(s, q, d, e):
    s = s[:, E256 // 16]
    return d * (s & 15).astype(F32) * pairs(q).astype(F32) - e * (s >> 4).astype(F32)


def q3_k(h, q, s, d):
    k = np.arange(16)
    t = bits(s, k % 8, 4 * (k // 8), 15) + 16 * bits(s, 8 + k % 4, 2 * (k // 4), 3)
    code = pairs(q) + 4 * bits(h, E256 % 32, E256 // 32, 1)
    return d * (t - 32).astype(F32)[:, E256 // 16] * (code - 4).astype(F32)


def q6_k(q, h, s, d):
    code = bits(q, E256 // 128 * 64 + E256 % 64, 4 * (E256 // 64 % 2), 15) + 16 * bits(
        h, E256 // 128 * 32 + E256 % 32, 2 * (E256 // 32 % 4), 3)
    return d * s.astype(F32)[:, E256 // 16] * (code - 32).astype(F32)


def mxfp4(e, q):
    if (e == 255).any():
        raise ValueError("an MXFP4 scale is 255")
    return V[nibbles(q)] * np.ldexp(F32(1), e.astype(I32) - 128).astype(F32)


def nvfp4(e, q):
    exponent, mantissa = (e >> 3 & 15).astype(I32), (e & 7).astype(I32)
    scale = np.where(exponent == 0, np.ldexp(mantissa.astype(F32), -10), np.ldexp((8 + mantissa).astype(F32), exponent - 11))
    scale = np.where(e == 127, 0, scale).astype(F32)
    code = bits(q, E64 // 16 * 8 + E64 % 8, np.where(E64 % 16 < 8, 0, 4), 15)
    return V[code] * scale[:, E64 // 16]


def tq1_0(q, h, d):
    place = np.concatenate([E256[:160] // 32, (E256[160:240] - 160) // 16, (E256[240:] - 240) // 4])
    index = np.concatenate([E256[:160] % 32, 32 + (E256[160:240] - 160) % 16, 48 + (E256[240:] - 240) % 4])
    stored = np.concatenate([q, h], axis=1)[:, index].astype(I32)
    return ((stored * 3 ** place % 256 * 3 // 256) - 1).astype(F32) * d


def iq4_xs(d, h, s, q):
    k = np.arange(8)
    t = bits(s, k // 2, 4 * (k % 2), 15) + 16 * bits(h, 0 * k, 2 * k, 3)
    code = np.concatenate([nibbles(q[:, 16 * n:16 * n + 16]) for n in range(8)], axis=1)
    return (d * (t - 32).astype(F32))[:, E256 // 32] * T[code]


def books():
    """Name -> entries of magnitudes."""
    result, name = {}, None
    page = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "codecs", "ggml-books.md")
    for line in open(page):
        if line.startswith("## "):
            name, steps = line[3:].strip(), ""
        elif " entries of " in line:
            length = int(line.split(" entries of ")[1].split(";")[0])
            digits = np.array([float(v) for v in line.split("magnitudes ")[1].rstrip(".\n").split(",")], F32)
        elif line.startswith("    ") and name:
            steps += line.strip()
            codes = np.frombuffer(steps.encode(), np.uint8).astype(np.int64) - 48
            numbers = np.cumsum(64 * codes[::2] + codes[1::2])
            result[name] = digits[numbers[:, None] // len(digits) ** np.arange(length) % len(digits)]
    return result


BOOKS = books()


def signed(book, code, signs, scale):
    """Entries with signs, the sign of element j of an entry in bit j, times a scale an element."""
    entry = BOOKS[book][code]
    negative = (signs[..., None] >> np.arange(entry.shape[-1]) & 1).astype(bool)
    return scale * np.where(negative, -entry, entry).reshape(len(code), 256)


def completed(seven):
    """Seven signs and the eighth that makes their number even."""
    odd = sum(seven >> j & 1 for j in range(7)) & 1
    return seven | odd << 7


EIGHTS, FOURS = np.arange(32), np.arange(64)


def iq2_xxs(d, words):
    q = words[:, :, :4].reshape(-1, 32)
    w = words[:, :, 4:].copy().view("<u4").reshape(-1, 8)
    scale = d * (F32(0.5) + (w >> 28).astype(F32)) * F32(0.25)
    return signed("IQ2_XXS", q, completed(bits(w, EIGHTS // 4, 7 * (EIGHTS % 4), 127)), scale[:, E256 // 32])


def iq2_scale(d, s):
    t = bits(s, EIGHTS // 4, 4 * (EIGHTS // 2 % 2), 15)
    return (d * (F32(0.5) + t.astype(F32)) * F32(0.25))[:, E256 // 8]


def iq2_xs(d, q, s):
    return signed("IQ2_XS", q & 511, completed((q >> 9).astype(I32)), iq2_scale(d, s))


def iq2_s(d, q, g, h, s):
    return signed("IQ2_S", q + 256 * bits(h, EIGHTS // 4, 2 * (EIGHTS % 4), 3), g, iq2_scale(d, s))


def iq3_xxs(d, q, w):
    eight = completed(bits(w, FOURS // 8, 7 * (FOURS // 2 % 4), 127))
    scale = d * (F32(0.5) + (w >> 28).astype(F32)) * F32(0.5)
    return signed("IQ3_XXS", q, eight >> 4 * (FOURS % 2), scale[:, E256 // 32])


def iq3_s(d, q, h, g, s):
    k = np.arange(8)
    scale = d * (1 + 2 * bits(s, k // 2, 4 * (k % 2), 15)).astype(F32)
    code = q + 256 * bits(h, FOURS // 8, FOURS % 8, 1)
    return signed("IQ3_S", code, bits(g, FOURS // 2, 4 * (FOURS % 2), 15), scale[:, E256 // 32])


def iq1(code, scale, delta):
    return scale * (BOOKS["IQ1"][code].reshape(len(code), 256) + delta)


def iq1_s(d, q, h):
    scale = d * (2 * (h >> 12 & 7).astype(I32) + 1).astype(F32)
    delta = np.where(h >> 15, F32(-0.125), F32(0.125))
    code = q + 256 * bits(h, EIGHTS // 4, 3 * (EIGHTS % 4), 7)
    return iq1(code, scale[:, E256 // 32], delta[:, E256 // 32])


def iq1_m(q, h, s):
    d = sum((s[:, n] >> 12).astype("<u2") << np.uint16(4 * n) for n in range(4)).astype("<u2").view("<f2").astype(F32)
    v = bits(h, EIGHTS // 2, 4 * (EIGHTS % 2), 15)
    t = bits(s, EIGHTS // 8, 3 * (EIGHTS // 2 % 4), 7)
    scale = d[:, None] * (2 * t + 1).astype(F32)
    return iq1(q + 256 * (v & 7), scale[:, E256 // 8], np.where(v & 8, F32(-0.125), F32(0.125))[:, E256 // 8])


H, B, S, W = ("<f2", 1), "u1", "i1", "<u4"
TYPES = {  # name: elements, fields (dtype, count), values
    "Q4_0": (32, [H, (B, 16)], lambda d, q: (nibbles(q) - 8).astype(F32) * d),
    "Q4_1": (32, [H, H, (B, 16)], lambda d, m, q: nibbles(q).astype(F32) * d + m),
    "Q5_0": (32, [H, (W, 1), (B, 16)], lambda d, h, q: (q5(h, q) - 16).astype(F32) * d),
    "Q5_1": (32, [H, H, (W, 1), (B, 16)], lambda d, m, h, q: q5(h, q).astype(F32) * d + m),
    "Q8_0": (32, [H, (S, 32)], lambda d, q: q.astype(F32) * d),
    "Q8_1": (32, [H, H, (S, 32)], lambda d, s, q: q.astype(F32) * d),
    "Q8_K": (256, [("<f4", 1), (S, 256), ("<i2", 16)], lambda d, q, s: q.astype(F32) * d),
    "Q2_K": (256, [(B, 16), (B, 64), H, H], q2_k),
    "Q3_K": (256, [(B, 32), (B, 64), (B, 12), H], q3_k),
    "Q4_K": (256, [H, H, (B, 12), (B, 128)], lambda d, e, s, q: k4(d, e, s, half_bytes(q))),
    "Q5_K": (256, [H, H, (B, 12), (B, 32), (B, 128)],
             lambda d, e, s, h, q: k4(d, e, s, half_bytes(q) + 16 * bits(h, E256 % 32, E256 // 32, 1))),
    "Q6_K": (256, [(B, 128), (B, 64), (S, 16), H], q6_k),
    "MXFP4": (32, [(B, 1), (B, 16)], mxfp4),
    "NVFP4": (64, [(B, 4), (B, 32)], nvfp4),
    "TQ1_0": (256, [(B, 48), (B, 4), H], tq1_0),
    "TQ2_0": (256, [(B, 64), H], lambda q, d: (pairs(q) - 1).astype(F32) * d),
    "Q1_0": (128, [H, (B, 16)], lambda d, q: np.where(bits(q, E128 // 8, E128 % 8, 1) == 1, d, -d)),
    "Q2_0": (64, [H, (B, 16)], lambda d, q: (bits(q, E64 // 4, 2 * (E64 % 4), 3) - 1).astype(F32) * d),
    "IQ4_NL": (32, [H, (B, 16)], lambda d, q: d * T[nibbles(q)]),
    "IQ4_XS": (256, [H, ("<u2", 1), (B, 4), (B, 128)], iq4_xs),
    "IQ2_XXS": (256, [H, (B, (8, 8))], iq2_xxs),
    "IQ2_XS": (256, [H, ("<u2", 32), (B, 8)], iq2_xs),
    "IQ2_S": (256, [H, (B, 32), (B, 32), (B, 8), (B, 8)], iq2_s),
    "IQ3_XXS": (256, [H, (B, 64), (W, 8)], iq3_xxs),
    "IQ3_S": (256, [H, (B, 64), (B, 8), (B, 32), (B, 4)], iq3_s),
    "IQ1_S": (256, [H, (B, 32), ("<u2", 8)], iq1_s),
    "IQ1_M": (256, [(B, 32), (B, 16), ("<u2", 4)], iq1_m),
}


def decode(name, data):
    """All values of blocks, one after another."""
    _, fields, values = TYPES[name]
    row = np.dtype([("f%d" % i, dtype, shape if isinstance(shape, tuple) else (shape,))
                    for i, (dtype, shape) in enumerate(fields)])
    blocks = np.frombuffer(data, row)
    parts = [blocks["f%d" % i] for i in range(len(fields))]
    parts = [part.astype(F32) if part.dtype == np.dtype("<f2") else part for part in parts]
    with np.errstate(all="ignore"):
        return values(*parts).astype(F32).reshape(-1)
