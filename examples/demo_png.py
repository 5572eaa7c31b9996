#!/usr/bin/env python3
"""PNG files for the demonstration and the tests: makes bad ones, and checks good ones without libpng.

usage: demo_png.py bomb FILE         32000 x 32000 pixels, four gigabytes when decoded, in 125 kilobytes
       demo_png.py tiny FILE         a small healthy one
       demo_png.py describe FILE...  FILE, tab, what the module png says: size, depth, Adler-32 of the RGBA pixels
"""
import struct
import sys
import zlib

SIGNATURE = b"\x89PNG\r\n\x1a\n"
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
# Adam7: where each pass begins and how far apart its pixels are
PASSES = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def write(path, width, height, depth, colour, row):
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(b"\0" + row) for _ in range(height)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    with open(path, "wb") as file:
        file.write(SIGNATURE + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b""))


def chunks(data):
    if not data.startswith(SIGNATURE):
        raise ValueError("not a PNG file")
    place = len(SIGNATURE)
    while place + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, place)
        yield kind, data[place + 8:place + 8 + size]
        place += 12 + size


def paeth(left, above, corner):
    to_left, to_above, to_corner = abs(above - corner), abs(left - corner), abs(left + above - 2 * corner)
    if to_left <= to_above and to_left <= to_corner:
        return left
    return above if to_above <= to_corner else corner


def unfilter(kind, row, above, step):
    """Undoes a row's filter in place; above is the row before it, step the bytes of a pixel."""
    if kind == 1:
        for i in range(step, len(row)):
            row[i] = (row[i] + row[i - step]) & 255
    elif kind == 2:
        for i, value in enumerate(above):
            row[i] = (row[i] + value) & 255
    elif kind == 3:
        for i, value in enumerate(above):
            row[i] = (row[i] + ((row[i - step] if i >= step else 0) + value) // 2) & 255
    elif kind == 4:
        for i, value in enumerate(above):
            left, corner = (row[i - step], above[i - step]) if i >= step else (0, 0)
            row[i] = (row[i] + paeth(left, value, corner)) & 255


def samples(row, count, depth):
    if depth == 8:
        return row[:count]
    if depth == 16:
        return [row[2 * i] << 8 | row[2 * i + 1] for i in range(count)]
    return [row[i * depth // 8] >> (8 - depth - i * depth % 8) & ((1 << depth) - 1) for i in range(count)]


def to_rgba(values, depth, colour, palette, clear):
    """One pixel as four bytes, the way libpng expands it; 16 bits lose their lower half."""
    if colour == 3:
        index = values[0]
        return palette[3 * index:3 * index + 3] + bytes([clear[index] if index < len(clear) else 255])
    scale = (lambda v: v >> 8) if depth == 16 else (lambda v: v * 255 // ((1 << depth) - 1))
    if colour in (4, 6):
        alpha = scale(values[-1])
        values = values[:-1]
    else:
        transparent = [] if not clear else list(struct.unpack(f">{len(values)}H", clear[:2 * len(values)]))
        alpha = 0 if transparent == list(values) else 255
    shades = [scale(value) for value in values]
    return bytes((shades * 3 if len(shades) == 1 else shades) + [alpha])


def decode_pass(raw, place, width, height, header):
    """Rows of pixels of one pass, each pixel a list of samples; and where the pass ends in the raw bytes."""
    depth, colour = header[2], header[3]
    channels = CHANNELS[colour]
    row_bytes = (width * channels * depth + 7) // 8
    step = max(1, channels * depth // 8)
    above, rows = bytearray(row_bytes), []
    for _ in range(height):
        row = bytearray(raw[place + 1:place + 1 + row_bytes])
        unfilter(raw[place], row, above, step)
        flat = samples(row, width * channels, depth)
        rows.append([flat[i:i + channels] for i in range(0, len(flat), channels)])
        place += 1 + row_bytes
        above = row
    return rows, place


def decode(data):
    header, packed, palette, clear = None, b"", b"", b""
    for kind, body in chunks(data):
        if kind == b"IHDR":
            header = struct.unpack(">IIBBBBB", body)
        elif kind == b"IDAT":
            packed += body
        elif kind == b"PLTE":
            palette = body
        elif kind == b"tRNS":
            clear = body
    width, height, depth, colour, _, _, interlace = header
    raw, place, pixels = zlib.decompress(packed), 0, bytearray(4 * width * height)
    known = {}
    for x0, y0, dx, dy in PASSES if interlace else [(0, 0, 1, 1)]:
        pass_width, pass_height = -(-(width - x0) // dx), -(-(height - y0) // dy)
        if pass_width <= 0 or pass_height <= 0:
            continue
        rows, place = decode_pass(raw, place, pass_width, pass_height, header)
        for y, row in enumerate(rows):
            for x, values in enumerate(row):
                key = bytes(values) if depth <= 8 else tuple(values)
                if key not in known:
                    known[key] = to_rgba(values, depth, colour, palette, clear)
                at = 4 * ((y0 + y * dy) * width + x0 + x * dx)
                pixels[at:at + 4] = known[key]
    return f"{width}x{height} {depth} bit {zlib.adler32(pixels):08x}"


def main():
    verb, paths = sys.argv[1], sys.argv[2:]
    if verb == "bomb":
        write(paths[0], 32000, 32000, 1, 0, bytes(4000))
    elif verb == "tiny":
        write(paths[0], 5, 3, 8, 2, bytes(range(15)))
    elif verb == "describe":
        for path in paths:
            with open(path, "rb") as file:
                print(f"{path}\t{decode(file.read())}")
    else:
        sys.exit(__doc__)


if len(sys.argv) < 3:
    sys.exit(__doc__)
main()
