#!/usr/bin/env python3
"""Makes Tests/CodecsTests/Goldens/spqr.txt: planes of random bytes and the values that specs/codecs/spqr.md gives them,
computed here in numpy from the page alone, bit by bit.

    make-spqr-goldens.py > Tests/CodecsTests/Goldens/spqr.txt

For each case a line with the descriptor, rows and columns, a line of hexadecimal digits for each plane ("-" if it is
empty), and one with the values as little-endian F32.
Needs: numpy.
"""
import struct

import numpy as np


def number(data, index, width):
    return int.from_bytes(data, "little") >> index * width & (1 << width) - 1


def decode_dense(codec, planes, rows, columns):
    height, width, bits, stats = (codec[key] for key in ("rows", "columns", "bits", "stats"))
    precision = np.float16 if codec["arithmetic"] == "F16" else np.float32
    code_bytes, stat_bytes = (height * width * bits + 7) // 8, (height * stats + 7) // 8
    across = -(-columns // width)
    values = np.zeros((rows, columns), np.float32)

    def scaled(outer, inner, offset):
        return precision(outer * precision(precision(inner) - offset))

    for tile in range(-(-rows // height) * across):
        top, left = tile // across * height, tile % across * width
        codes = planes[0][tile * code_bytes:][:code_bytes]
        scale_codes = planes[1][2 * tile * stat_bytes:][:stat_bytes]
        zero_codes = planes[1][(2 * tile + 1) * stat_bytes:][:stat_bytes]
        scale_s, zero_s, scale_z, zero_z = (precision(x) for x in np.frombuffer(planes[2][8 * tile:][:8], "<f2"))
        for row in range(min(height, rows - top)):
            scale = scaled(scale_s, number(scale_codes, row, stats), zero_s)
            zero = scaled(scale_z, number(zero_codes, row, stats), zero_z)
            for column in range(min(width, columns - left)):
                code = number(codes, row * width + column, bits)
                values[top + row, left + column] = scaled(scale, code, zero)
    return values


def positions(planes, at, height, columns):
    """Positions of the outliers of one row of tiles; moves the offsets `at` in the first two outlier planes."""
    kind = planes[3][at[0]]
    at[0] += 1
    found = []
    if kind == 1:
        size = 1 if columns <= 1 << 8 else 2 if columns <= 1 << 16 else 4
        last = 0
        for row in range(height):
            end, = struct.unpack_from("<I", planes[3], at[0])
            at[0] += 4
            for _ in range(end - last):
                found.append(row * columns + int.from_bytes(planes[4][at[1]:at[1] + size], "little"))
                at[1] += size
            last = end
    elif kind >= 2:
        low, (count,) = kind - 2, struct.unpack_from("<I", planes[3], at[0])
        at[0] += 4
        stream, bit, position = int.from_bytes(planes[4][at[1]:], "little"), 0, -1
        for _ in range(count):
            high = 0
            while not stream >> bit & 1:
                high, bit = high + 1, bit + 1
            position += 1 + (high << low | stream >> bit + 1 & (1 << low) - 1)
            bit += 1 + low
            found.append(position)
        at[1] += (bit + 7) // 8
    return found


def decode(codec, planes, rows, columns):
    values = decode_dense(codec, planes, rows, columns)
    if "outliers" not in codec:
        return values
    at, value_at = [0, 0], 0
    for top in range(0, rows, codec["rows"]):
        for position in positions(planes, at, min(codec["rows"], rows - top), columns):
            stored = planes[5][value_at:value_at + 2]
            value_at += 2
            f16 = codec["outliers"] == "F16"
            outlier = np.float32(np.frombuffer(stored, "<f2")[0]) if f16 else np.frombuffer(b"\0\0" + stored, "<f4")[0]
            place = top + position // columns, position % columns
            total = np.float32(values[place] + outlier)
            if codec["arithmetic"] == "F16":
                total = np.float32(np.float16(total))
            values[place] = outlier if codec["combine"] == "replace" else total
    assert [*at, value_at] == [len(plane) for plane in planes[3:]]
    return values


def rice(found, low):
    stream, bit, last = 0, 0, -1
    for position in found:
        gap, last = position - last - 1, position
        bit += gap >> low
        stream |= (1 | (gap & (1 << low) - 1) << 1) << bit
        bit += 1 + low
    return stream.to_bytes((bit + 7) // 8, "little")


def plain(found, height, columns):
    size = 1 if columns <= 1 << 8 else 2 if columns <= 1 << 16 else 4
    pointers, numbers = b"", b""
    for row in range(height):
        pointers += struct.pack("<I", sum(position < (row + 1) * columns for position in found))
    for position in found:
        numbers += (position % columns).to_bytes(size, "little")
    return pointers, numbers


def make(codec, rows, columns, random):
    height, width = codec["rows"], codec["columns"]
    tiles = -(-rows // height) * -(-columns // width)

    def noise(count):
        return random.integers(0, 256, count, dtype=np.uint8).tobytes()

    statistics = random.standard_normal((tiles, 4)) * [0.1, 2, 0.7, 3]
    planes = [noise(tiles * ((height * width * codec["bits"] + 7) // 8)),
              noise(2 * tiles * ((height * codec["stats"] + 7) // 8)), statistics.astype("<f2").tobytes()]
    if "outliers" not in codec:
        return planes
    planes += [b"", b"", b""]
    for index, top in enumerate(range(0, rows, height)):
        here = min(height, rows - top)
        found = [position for position in range(here * columns) if random.random() < 0.05 and index % 3 < 2]
        if not found:
            planes[3] += b"\0"
        elif index % 2:
            pointers, numbers = plain(found, here, columns)
            planes[3] += b"\1" + pointers
            planes[4] += numbers
        else:
            low = int(random.integers(0, 7))
            planes[3] += bytes([2 + low]) + struct.pack("<I", len(found))
            planes[4] += rice(found, low)
        outliers = (random.standard_normal(len(found)) * 3).astype("<f4")
        f16 = codec["outliers"] == "F16"
        planes[5] += outliers.astype("<f2").tobytes() if f16 else b"".join(x.tobytes()[2:] for x in outliers)
    return planes


def main():
    random = np.random.default_rng(3)
    usual = dict(bits=3, rows=16, columns=16, stats=3, arithmetic="F32")
    cases = [
        (usual, 17, 20), (usual | dict(bits=4, arithmetic="F16"), 16, 33),
        (usual | dict(bits=2, rows=3, columns=5, stats=5), 7, 11),
        (usual | dict(outliers="F16", combine="replace", index="smallest"), 33, 20),
        (usual | dict(bits=4, rows=4, outliers="BF16", combine="addCompensated", index="smallest"), 13, 18),
        (usual | dict(bits=2, rows=2, arithmetic="F16", outliers="F16", combine="addRaw", index="smallest"), 5, 300),
    ]
    for codec, rows, columns in cases:
        planes = make(codec, rows, columns, random)
        values = decode(codec, planes, rows, columns).astype("<f4").tobytes()
        name = "spqr" if "outliers" in codec else "bilevel"
        print(f"{name}:" + ",".join(f"{key}={value}" for key, value in codec.items()), rows, columns)
        for data in [*planes, values]:
            print(data.hex() or "-")


if __name__ == "__main__":
    main()
