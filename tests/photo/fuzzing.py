"""Damaged picture files by the thousand: `python -m tests.photo.fuzzing --seconds 3600`. Prints what fails.

A file is made from its number alone, so that a failure can be seen again with `--first NUMBER --count 1`. Each is read
as a photo and as a mask, and written again if it could be read, in a process of its own with little memory. It fails
where it raises anything but an `InpaintError` of one line, changes a known pixel of a format that keeps them, takes
longer than `PATIENCE`, or ends its process.
"""

from __future__ import annotations

import functools
import io
import multiprocessing
import os
import struct
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection

import numpy as np
import tyro
from PIL import Image

from inpaint_core import InpaintError, photo
from tests.photo.files import camera_exif, cv_encode, saved

PATIENCE = 30.0  # seconds for one file; a whole one takes milliseconds
START_PATIENCE = 120.0  # for the process to import what it needs
MEGABYTES = 2000  # of address space for the process: what it starts with, and a few small pictures
MAX_PIXELS, MAX_SIDE = 4_000_000, 16_384


@dataclass(frozen=True)
class Failure:
    """A file that should have been read or refused."""

    number: int
    format: str
    why: str


@functools.cache
def originals() -> dict[str, bytes]:
    """One small whole file of each kind, with what cameras and editors put into them."""
    rows, columns = np.mgrid[:40, :56]
    rgb = np.stack([rows * 5, columns * 4, (rows * columns) % 256], axis=-1).astype(np.uint8)
    rgba = np.dstack([rgb, (columns * 4).astype(np.uint8)])
    picture, transparent = Image.fromarray(rgb), Image.fromarray(rgba)
    exif, deep = camera_exif(6).tobytes(), rgba.astype(np.uint16) * 257
    frames = [picture.rotate(90 * turn) for turn in range(3)]
    heic = io.BytesIO()
    import pillow_heif

    pillow_heif.from_pillow(picture).save(heic, quality=80, exif=exif)
    return {
        "png": saved(transparent, "PNG", exif=exif, dpi=(300, 300)),
        "png palette": saved(picture.quantize(60), "PNG"),
        "png grey": saved(picture.convert("LA"), "PNG"),
        "png 16 bits": cv_encode(".png", deep),
        "apng": saved(frames[0], "PNG", save_all=True, append_images=frames[1:]),
        "jpeg": saved(picture, "JPEG", exif=exif, quality=85),
        "jpeg progressive": saved(picture, "JPEG", progressive=True),
        "jpeg cmyk": saved(picture.convert("CMYK"), "JPEG"),
        "webp": saved(transparent, "WEBP", exif=exif),
        "webp lossless": saved(transparent, "WEBP", lossless=True),
        "webp animated": saved(frames[0], "WEBP", save_all=True, append_images=frames[1:]),
        "gif": saved(frames[0], "GIF", save_all=True, append_images=frames[1:]),
        "tiff": saved(transparent, "TIFF", compression="tiff_lzw"),
        "tiff 16 bits": cv_encode(".tif", deep[..., :3]),
        "bmp": saved(picture, "BMP"),
        "avif": saved(picture, "AVIF", exif=exif),
        "heic": heic.getvalue(),
    }


def _flip(data: bytearray, random: np.random.Generator) -> None:
    for _ in range(int(random.integers(1, 12))):
        data[random.integers(len(data))] ^= 1 << int(random.integers(8))


def _flip_in_head(data: bytearray, random: np.random.Generator) -> None:
    for _ in range(int(random.integers(1, 6))):
        data[random.integers(min(len(data), 160))] = int(random.integers(256))


def _extreme_number(data: bytearray, random: np.random.Generator) -> None:
    """What may be a size, a count or an offset becomes very large, zero or negative."""
    at = int(random.integers(max(1, len(data) - 4)))
    value = random.choice([0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFF, 0x10000])
    data[at : at + 4] = struct.pack(">I" if random.integers(2) else "<I", value)


def _cut(data: bytearray, random: np.random.Generator) -> None:
    del data[int(random.integers(len(data))) :]


def _drop(data: bytearray, random: np.random.Generator) -> None:
    start = int(random.integers(len(data)))
    del data[start : start + int(random.integers(1, 200))]


def _repeat(data: bytearray, random: np.random.Generator) -> None:
    start = int(random.integers(len(data)))
    piece = data[start : start + int(random.integers(1, 400))]
    data[start:start] = piece * int(random.integers(1, 30))


def _noise(data: bytearray, random: np.random.Generator) -> None:
    start = int(random.integers(len(data)))
    length = min(len(data) - start, int(random.integers(1, 200)))
    data[start : start + length] = random.bytes(length)


MUTATIONS: tuple[Callable[[bytearray, np.random.Generator], None], ...] = (
    _flip,
    _flip_in_head,
    _extreme_number,
    _cut,
    _drop,
    _repeat,
    _noise,
)


def damaged(number: int) -> tuple[str, bytes]:
    """The file of a number, and the format of which it was made."""
    random = np.random.default_rng(number)
    names = list(originals())
    name = names[number % len(names)]
    data = bytearray(originals()[name])
    for _ in range(int(random.integers(1, 4))):
        if data:
            MUTATIONS[random.integers(len(MUTATIONS))](data, random)
    return name, bytes(data)


def check(data: bytes) -> None:
    """Read, fill and write a file; raises whatever a caller should not see."""
    for reader in (photo.read, photo.read_mask):
        try:
            reader(data, MAX_PIXELS, MAX_SIDE)
        except InpaintError as error:
            if "\n" in str(error):
                raise ValueError("a sentence of several lines") from error
    try:
        picture = photo.read(data, MAX_PIXELS, MAX_SIDE)
    except InpaintError:
        return
    hole = np.zeros((picture.height, picture.width), bool)
    hole[: picture.height // 2 + 1, : picture.width // 2 + 1] = True
    filled = np.where(hole[..., None], 255 - picture.pixels, picture.pixels)
    try:
        written = photo.read(photo.encode(picture, filled, mask=hole))
    except InpaintError:  # such as a size that the format cannot hold
        return
    if photo.is_exact(picture, picture.format):
        assert np.array_equal(written.pixels[~hole], picture.pixels[~hole]), "known pixels changed"


def _serve(connection: Connection) -> None:
    """Check the numbers that come; answer each with "" or what went wrong."""
    warnings.simplefilter("ignore")  # Pillow says of many files that they are odd ...
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # ... and so do the libraries below it
    originals()
    if sys.platform == "linux":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEGABYTES << 20,) * 2)
    connection.send("")
    while (number := connection.recv()) is not None:
        try:
            check(damaged(number)[1])
        except BaseException:
            connection.send(traceback.format_exc())
        else:
            connection.send("")


def failures(numbers: Iterator[int] | range) -> Iterator[Failure]:
    """Those of the files that fail."""
    context = multiprocessing.get_context("spawn")
    process = None
    for number in numbers:
        if process is None:
            ours, theirs = context.Pipe()
            process = context.Process(target=_serve, args=(theirs,), daemon=True)
            process.start()
            theirs.close()
            assert ours.poll(START_PATIENCE)
            assert ours.recv() == ""
        ours.send(number)
        try:
            why = ours.recv() if ours.poll(PATIENCE) else f"no answer after {PATIENCE:g} s"
        except EOFError:
            process.join()
            why = f"the process ended with {process.exitcode}"
        if why:
            yield Failure(number, damaged(number)[0], why)
            process.kill()
            process = None
    if process is not None:
        ours.send(None)
        process.join()


def main(seconds: float = 60.0, first: int = 0, count: int | None = None) -> int:
    """Check damaged files until the time is over.

    Args:
        seconds: how long.
        first: number of the first file.
        count: of files at most.
    """
    end, done = time.monotonic() + seconds, 0

    def numbers() -> Iterator[int]:
        nonlocal done
        while time.monotonic() < end and (count is None or done < count):
            yield first + done
            done += 1

    found = 0
    for failure in failures(numbers()):
        found += 1
        print(f"file {failure.number}, made of {failure.format}:\n{failure.why}", flush=True)
    print(f"{done} files, {found} failures")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(tyro.cli(main))
