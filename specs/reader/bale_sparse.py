"""Decodes ternary, bilevel, spqr and trellis, from their pages in specs/codecs alone."""
import numpy as np

F32 = np.float32


def packed(data, bits, count):
    """`count` numbers of `bits` bits from each row of bytes, the lowest bits first."""
    single = np.unpackbits(data, axis=1, bitorder="little")[:, :count * bits].reshape(len(data), count, bits)
    return (single.astype(np.int64) << np.arange(bits)).sum(axis=2)


def ternary(options, elements, planes, floats):
    group = int(options["group"])
    places, digit = (5, None) if options["pack"] == "base3" else (4, np.array([0, 1, 9, -1]))
    scales, codes, start = floats(planes["scales"], options["scale"]), [], 0
    for first in range(0, elements, group):
        count = min(group, elements - first)
        size = -(-count // places)
        stored = np.frombuffer(planes["codes"], np.uint8)[start:start + size].astype(np.int64)
        start += size
        place = np.arange(places)
        if digit is None:
            codes.append((stored[:, None] // 3 ** place % 3 - 1).reshape(-1)[:count])
        else:
            codes.append(digit[stored[:, None] >> 2 * place & 3].reshape(-1)[:count])
    return np.concatenate(codes).astype(F32) * np.repeat(scales, group)[:elements]


def dense(options, rows, columns, planes):
    """The values of tiles without their outliers."""
    tall, wide, bits, stats = (int(options[key]) for key in ("rows", "columns", "bits", "stats"))
    number = np.float16 if options["arithmetic"] == "F16" else F32
    down, across = -(-rows // tall), -(-columns // wide)
    codes = packed(np.frombuffer(planes["codes"], np.uint8).reshape(down * across, -1), bits, tall * wide)
    run = -(-tall * stats // 8)
    scales = np.frombuffer(planes["scales"], np.uint8).reshape(down * across, 2 * run)
    a, b = (packed(half, stats, tall).astype(number) for half in (scales[:, :run], scales[:, run:]))
    level = np.frombuffer(planes["secondLevel"], "<f2").reshape(down * across, 4).astype(number)
    with np.errstate(all="ignore"):
        scale = level[:, :1] * (a - level[:, 1:2])
        zero = level[:, 2:3] * (b - level[:, 3:])
        values = scale[:, :, None] * (codes.reshape(-1, tall, wide).astype(number) - zero[:, :, None])
    values = values.reshape(down, across, tall, wide).transpose(0, 2, 1, 3).reshape(down * tall, across * wide)
    return values[:rows, :columns].astype(F32)


def gaps(stream, k, count):
    """Positions of Golomb-Rice coded outliers, and the bytes that they take."""
    bits = np.unpackbits(np.frombuffer(stream, np.uint8), bitorder="little")
    at, position, result = 0, -1, []
    for _ in range(count):
        zeros = int(np.argmax(bits[at:]))
        low = int((bits[at + zeros + 1:at + zeros + 1 + k].astype(np.int64) << np.arange(k)).sum())
        position += 1 + (zeros << k | low)
        at += zeros + 1 + k
        result.append(position)
    return result, -(-at // 8)


def positions(planes, tall, rows, columns):
    """Row and column of each outlier, row of tiles after row of tiles."""
    heads, body = planes["outlierRows"], planes["outlierColumns"]
    column = "u1" if columns <= 1 << 8 else "<u2" if columns <= 1 << 16 else "<u4"
    result = []
    for top in range(0, rows, tall):
        kind, heads = heads[0], heads[1:]
        height = min(tall, rows - top)
        if kind == 1:
            ends = [0] + list(np.frombuffer(heads, "<u4", height))
            heads, size = heads[4 * height:], ends[-1] * np.dtype(column).itemsize
            listed = np.frombuffer(body, column, ends[-1])
            for row in range(height):
                result += [(top + row, int(c)) for c in listed[ends[row]:ends[row + 1]]]
            body = body[size:]
        elif kind:
            count, heads = int(np.frombuffer(heads, "<u4", 1)[0]), heads[4:]
            found, size = gaps(body, kind - 2, count)
            result += [(top + p // columns, p % columns) for p in found]
            body = body[size:]
    return result


def tiles(name, options, rows, columns, planes, floats):
    values = dense(options, rows, columns, planes)
    if name == "spqr":
        outliers = floats(planes["outlierValues"], options["outliers"])
        places = positions(planes, int(options["rows"]), rows, columns)
        if places:
            place = tuple(np.array(places).T)
            total = outliers if options["combine"] == "replace" else values[place] + outliers
            values[place] = total.astype(np.float16) if options["arithmetic"] == "F16" else total
        if options["order"] == "permuted":
            order = np.frombuffer(planes["permutation"], "<u2" if columns <= 1 << 16 else "<u4")
            stored, values = values, np.empty_like(values)
            values[:, order] = stored
    return values.reshape(-1)


EVEN, ODD = [0, 5, 1, 6, 2, 4, 3, 7], [2, 7, 3, 4, 0, 6, 1, 5]


def frequencies(zero, one, tail, largest):
    """Frequency of each symbol of a model, and its first slot."""
    if largest == 0:
        return [4096], [0]
    left = 4096 - (2 * largest + 1)
    z = left * zero // 256
    result, left = [1 + z], left - z
    for m in range(1, largest + 1):
        a = left if m == largest else left * (one if m == 1 else tail) // 256
        left -= a
        result += [1 + (a + 1) // 2, 1 + a // 2]
    return result, [sum(result[:n]) for n in range(len(result))]


def trellis(rows, columns, planes):
    table, codes = planes["table"], planes["codes"]
    step, offset = np.frombuffer(table, "<f4", 1)[0], int(np.frombuffer(table, "i1", 1, 4)[0])
    exponents = np.frombuffer(table, np.uint8, offset=104)
    exponents = np.stack([exponents & 15, exponents >> 4], axis=1).reshape(-1)[:columns].astype(int)
    root = np.where(exponents % 2, np.array(0x3FB504F3, "<u4").view("<f4"), F32(1))
    steps = step * (np.ldexp(F32(1), exponents // 2) * root).astype(F32)
    classes = np.clip(offset - exponents, 0, 11)
    models = [frequencies(*table[8 + 4 * n:12 + 4 * n]) for n in range(24)]
    slots = [np.repeat(np.arange(len(f)), f) for f, _ in models]
    multiples, start = np.zeros((rows, columns), F32), 0
    height = max(1, -(-(1 << 18) // columns))
    for top in range(0, rows, height):
        size = int(np.frombuffer(codes, "<u4", 1, start)[0])
        coders = [int(x) for x in np.frombuffer(codes, "<u4", 8, start + 4)]
        words = iter([int(x) for x in np.frombuffer(codes, "<u2", (size - 32) // 2, start + 36)])
        start += 4 + size
        state = [0] * columns

        def take(lane, frequency, first):
            x = coders[lane]
            x = frequency * (x >> 12) + x % 4096 - first
            coders[lane] = x << 16 | next(words) if x < 65536 else x

        for index in range(min(height, rows - top) * columns):
            row, column, lane = top + index // columns, index % columns, index % 8
            model = 2 * classes[column] + state[column] % 2
            symbol = int(slots[model][coders[lane] % 4096])
            take(lane, models[model][0][symbol], models[model][1][symbol])
            magnitude = (symbol + 1) // 2
            if magnitude == 15:
                excess = coders[lane] % 4096
                take(lane, 1, excess)
                magnitude += excess
            sign = 0 if symbol == 0 else 1 if symbol % 2 else -1
            multiples[row, column] = sign * (2 * magnitude - (state[column] % 2))
            state[column] = (ODD if magnitude % 2 else EVEN)[state[column]]
        if any(x != 65536 for x in coders):
            raise ValueError("a unit's coders don't end where they began")
    return (multiples * steps).astype(F32).reshape(-1)
