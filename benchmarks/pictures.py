"""Photos, masks and hostile files, made at random for the load test and the attacks."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image


def photo(path: Path, height: int, width: int, seed: int = 0) -> Path:
    """A picture of smooth colours and some noise, no two alike; PNG without loss."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (8, 8, 3), np.uint8)
    smooth = np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)).astype(np.int16)
    pixels = np.clip(smooth + rng.integers(-6, 7, (height, width, 1)), 0, 255).astype(np.uint8)
    Image.fromarray(pixels).save(path, compress_level=1)
    return path


def box_mask(path: Path, height: int, width: int, share: float = 0.1) -> Path:
    """A box in the middle, `share` of each side."""
    mask = np.zeros((height, width), np.uint8)
    rows, columns = round(height * share), round(width * share)
    mask[(height - rows) // 2 :, (width - columns) // 2 :][:rows, :columns] = 255
    Image.fromarray(mask).save(path)
    return path


def dots_mask(path: Path, height: int, width: int) -> Path:
    """64 dots, each a hole of its own."""
    mask = np.zeros((height, width), np.uint8)
    for row in range(8):
        for column in range(8):
            mask[(2 * row + 1) * height // 16, (2 * column + 1) * width // 16] = 255
    Image.fromarray(mask).save(path)
    return path


def noise_gif(path: Path, height: int, width: int) -> Path:
    """Noise, which GIF cannot compress."""
    noise = np.random.default_rng(0).integers(0, 256, (height, width), np.uint8)
    Image.fromarray(noise).save(path)
    return path


def bomb(path: Path, side: int = 10_000) -> Path:
    """A PNG of side x side pixels of 16 bits and alpha, all alike: 800 MB in less than one."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    compressor, row = zlib.compressobj(1), bytes(1 + 8 * side)
    body = b"".join(compressor.compress(row) for _ in range(side)) + compressor.flush()
    header = struct.pack(">IIBBBBB", side, side, 16, 6, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b""))
    return path
