#!/usr/bin/env python3
"""make_images.py FOLDER: random 32x32 colour images in class folders, where a page says DIR."""
import pathlib
import random
import struct
import sys
import zlib

SIDE, CLASSES, EACH = 32, 10, 4


def png(pixels):
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    rows = b"".join(b"\0" + pixels[3 * SIDE * y:3 * SIDE * (y + 1)] for y in range(SIDE))
    header = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


random.seed(1)
for split in ("train", "test"):
    for label in range(CLASSES):
        folder = pathlib.Path(sys.argv[1], split, f"class{label}")
        folder.mkdir(parents=True, exist_ok=True)
        for i in range(EACH):
            (folder / f"{i}.png").write_bytes(png(random.randbytes(3 * SIDE * SIDE)))
