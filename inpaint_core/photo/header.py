"""Headers of picture files: format and size are checked before anything is decoded."""

from __future__ import annotations

import contextlib
import io
import os
import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)
from pillow_heif import HeifImageFile

from inpaint_core.errors import InpaintError
from inpaint_core.photo.picture import READABLE

MAX_PIXELS = 100_000_000
MAX_SCANS = 100  # of a JPEG; cameras and editors write at most a dozen
_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")  # all but stuffed bytes and restarts, which are inside coded data
_START_OF_IMAGE, _END_OF_IMAGE, _START_OF_SCAN = b"\xff\xd8", b"\xff\xd9", b"\xff\xda"
Source = str | Path | bytes | BinaryIO

# The plugins are called themselves, not through Image.open: its pixel limit is one global for the whole process,
# and it would also try formats (EPS, WMF) that start other programs.
_OPENERS: dict[str, Callable[[BinaryIO], ImageFile.ImageFile]] = {
    "JPEG": JpegImagePlugin.JpegImageFile,
    "PNG": PngImagePlugin.PngImageFile,
    "WEBP": WebPImagePlugin.WebPImageFile,
    "TIFF": TiffImagePlugin.TiffImageFile,
    "BMP": BmpImagePlugin.BmpImageFile,
    "GIF": GifImagePlugin.GifImageFile,
    "AVIF": AvifImagePlugin.AvifImageFile,
    "HEIC": HeifImageFile,
}
_HEIC_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"mif1", b"msf1")


@dataclass(frozen=True)
class OpenedFile:
    """A picture file whose header has been read and found acceptable."""

    image: ImageFile.ImageFile  # not decoded yet
    stream: BinaryIO  # the whole file, seekable
    format: str
    name: str  # for sentences to the user
    path: Path | None
    lossless: bool

    def bytes(self) -> bytes:
        """The whole file."""
        self.stream.seek(0)
        return self.stream.read()


@contextlib.contextmanager
def opened(source: Source, max_pixels: int, max_side: int | None = None) -> Iterator[OpenedFile]:
    """Open a picture up to its header; whatever goes wrong inside the `with` becomes one InpaintError.

    `source` is a path, the file's bytes, or a binary stream. Raises InpaintError for a missing, empty, unreadable,
    foreign or damaged file, and for one of more than `max_pixels` pixels, with a side of more than `max_side` pixels,
    or of more than `MAX_SCANS` scans, before anything is decoded.
    """
    name, path = _name(source)
    with _stream(source, name) as stream:
        head = stream.read(64)
        if not head:
            raise InpaintError(f"{name} is empty (0 bytes): copy or download it again.")
        format = _sniff(head, name)
        try:
            lossless = format in ("PNG", "TIFF", "BMP", "GIF")
            if format == "WEBP":
                stream.seek(0)
                width, height, lossless = _webp_header(stream)
                _check_size(
                    width, height, max_pixels, max_side, name
                )  # Pillow's plugin sets up canvases when it opens the file
            if format == "JPEG":
                _check_scans(stream, name)
            stream.seek(0)
            with _OPENERS[format](stream) as image:
                _check_size(*image.size, max_pixels, max_side, name)
                yield OpenedFile(image, stream, format, name, path, lossless)
        except InpaintError:
            raise
        except Image.DecompressionBombError:  # Pillow checks the strips of a TIFF once more, against its global limit
            raise InpaintError(
                f"{name} stores over {2 * (Image.MAX_IMAGE_PIXELS or 0) / 1e6:.0f} million pixels in one piece, "
                "which is too much for a TIFF: save it as PNG or make it smaller first."
            ) from None
        except MemoryError:
            raise InpaintError(f"{name} does not fit into memory: make it smaller first.") from None
        except Exception as error:  # decoders raise nearly anything on a malformed file
            if format == "TIFF" and isinstance(error, SyntaxError):  # what Pillow raises for a layout it does not know
                raise InpaintError(
                    f"{name} is a damaged TIFF, or one of a kind that cannot be read (floating point, 16-bit grey with "
                    "alpha): save it as RGB or grey of 8 or 16 bits a channel."
                ) from error
            raise InpaintError(
                f"{name} is damaged or cut short and cannot be read as {format}: copy or download it again."
            ) from error


def _name(source: Source) -> tuple[str, Path | None]:
    if isinstance(source, str | Path):
        path = Path(source)
        return path.name or str(path), path
    name = getattr(source, "name", None)
    return (Path(name).name if isinstance(name, str) and name else "The file"), None


@contextlib.contextmanager
def _stream(source: Source, name: str) -> Iterator[BinaryIO]:
    if isinstance(source, bytes):
        yield io.BytesIO(source)
    elif isinstance(source, str | Path):
        try:
            if (path := Path(source)).exists() and not (path.is_file() or path.is_dir()):
                raise InpaintError(f"{name} is a device or a pipe, not a file: save the photo to a file first.")
            stream = open(source, "rb")  # noqa: SIM115 (closed below; an error of opening is not one of reading)
        except FileNotFoundError:
            raise InpaintError(f"{name} was not found: check the path.") from None
        except IsADirectoryError:
            raise InpaintError(f"{name} is a folder: give the path of one photo.") from None
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "not a usable path"
            if os.path.isdir(source):  # Windows reports a folder as a missing permission
                reason = "it is a folder"
            raise InpaintError(f"{name} cannot be opened ({reason.lower()}): check the path and its rights.") from None
        with stream:
            yield stream
    else:
        yield io.BytesIO(source.read())


def _sniff(head: bytes, name: str) -> str:
    """The format by the file's first bytes, whatever its name says."""
    if head.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    if head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return "TIFF"
    if head[:2] == b"BM":
        return "BMP"
    if head[:6] in (b"GIF87a", b"GIF89a"):
        return "GIF"
    if head[4:8] == b"ftyp":
        brands = head[8:]
        if b"avif" in brands or b"avis" in brands:
            return "AVIF"
        if any(brand in brands for brand in _HEIC_BRANDS):
            return "HEIC"
    raise InpaintError(f"{name} is not a picture that can be read ({READABLE}): choose another file.")


def _check_size(width: int, height: int, max_pixels: int, max_side: int | None, name: str) -> None:
    if max_side is not None and max(width, height) > max_side:
        raise InpaintError(
            f"{name} is {width:,} x {height:,} pixels, over the limit of {max_side:,} a side: make it smaller first."
        )
    if width * height > max_pixels:
        raise InpaintError(
            f"{name} is {width:,} x {height:,} pixels, over the limit of {max_pixels / 1e6:g} million: "
            "make it smaller first."
        )


def _check_scans(stream: BinaryIO, name: str) -> None:
    """Refuse a JPEG whose decoding would take minutes: a progressive one decodes the whole photo once for each scan."""
    stream.seek(0)
    data = stream.read()
    scans, place = 0, 2
    while (marker := _MARKER.search(data, place)) is not None and marker.group() != _END_OF_IMAGE:
        place = marker.end()
        if marker.group() != _START_OF_IMAGE:
            scans += marker.group() == _START_OF_SCAN
            place += int.from_bytes(data[place : place + 2], "big")  # of a scan the header; its data has no markers
        if scans > MAX_SCANS:
            raise InpaintError(
                f"{name} is a JPEG of over {MAX_SCANS} scans, which would take minutes to read: save it anew first."
            )


def _webp_header(stream: BinaryIO) -> tuple[int, int, bool]:
    """Width, height and "stored without loss" of a WebP file (RIFF container, chunks VP8X, VP8L, VP8)."""
    stream.seek(12)
    width = height = 0
    while len(chunk := stream.read(8)) == 8:
        kind, length = struct.unpack("<4sI", chunk)
        start = stream.tell()
        head = stream.read(min(length, 32))
        if kind == b"VP8X":
            width = int.from_bytes(head[4:7], "little") + 1
            height = int.from_bytes(head[7:10], "little") + 1
        elif kind == b"ANMF":  # a frame of an animation: its own chunks follow a header of 16 bytes
            return width, height, head[16:20] == b"VP8L"
        elif kind == b"VP8L":
            sizes = int.from_bytes(head[1:5], "little")
            return (sizes & 0x3FFF) + 1, (sizes >> 14 & 0x3FFF) + 1, True
        elif kind == b"VP8 ":
            return int.from_bytes(head[6:8], "little") & 0x3FFF, int.from_bytes(head[8:10], "little") & 0x3FFF, False
        stream.seek(start + length + length % 2)
    raise ValueError("no picture in this WebP file")
