"""What a photo file held: its pixels, and everything needed to write them back the way they came."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from inpaint_core.errors import InpaintError

# Format name (Pillow's word) -> file name suffixes, the usual one first.
FORMATS: dict[str, tuple[str, ...]] = {
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "PNG": (".png", ".apng"),
    "WEBP": (".webp",),
    "TIFF": (".tif", ".tiff"),
    "BMP": (".bmp", ".dib"),
    "GIF": (".gif",),
    "AVIF": (".avif",),
}
HEIC_SUFFIXES = (".heic", ".heif", ".hif")  # read, but saved as JPEG: few programs open a HEIC
_TITLES = {"WEBP": "WebP"}
WRITABLE = ", ".join(_TITLES.get(name, name) for name in FORMATS)
READABLE = f"{WRITABLE}, HEIC"
_WEBP_LONGEST_SIDE = 16383


@dataclass(frozen=True)
class JpegSettings:
    """How a JPEG was compressed, so that it is compressed the same way again."""

    tables: tuple[tuple[int, ...], ...]  # quantisation tables, the last for all further components; row by row
    subsampling: int  # Pillow's number: 0 = 4:4:4, 1 = 4:2:2, 2 = 4:2:0
    progressive: bool
    rgb: bool  # stored as RGB, not as YCbCr


@dataclass(frozen=True, eq=False)
class Photo:
    """A photo as read from its file, upright, with what the file carried beside the pixels."""

    pixels: np.ndarray  # uint8 H x W x 3, RGB, orientation applied
    alpha: np.ndarray | None = None  # uint8 H x W, 255 = opaque; None where the file has no transparency
    format: str = "PNG"  # a key of FORMATS
    grey: bool = False  # the file is grey, so the result is saved grey
    deep: np.ndarray | None = None  # uint16 H x W x C of a 16-bit file, C = 1, 3 or 4 (RGBA)
    exif: bytes = b""  # begins with "Exif\0\0"; orientation 1, no thumbnail
    icc: bytes | None = None  # colour profile of `pixels`
    dpi: tuple[float, float] | None = None
    jpeg: JpegSettings | None = None  # of a JPEG file whose colours were not converted
    lossless: bool = True  # the file stored every pixel exactly
    compressed: bool = True  # False for a TIFF stored plain, which is saved plain again
    path: Path | None = None  # the source file, which is not overwritten by accident
    notes: tuple[str, ...] = ()  # sentences for the user

    @property
    def height(self) -> int:
        return self.pixels.shape[0]

    @property
    def width(self) -> int:
        return self.pixels.shape[1]

    @property
    def bits(self) -> int:
        """Bits a channel of the file: 8 or 16."""
        return 8 if self.deep is None else 16

    @property
    def exact(self) -> bool:
        """Whether saving in the photo's own format returns known pixels bit for bit."""
        return is_exact(self, self.format)


def is_exact(photo: Photo, format: str) -> bool:
    """Whether `photo` saved as `format` ("PNG", "jpg", ...) returns known pixels bit for bit; alpha and 16 bits too."""
    name = format_named(format)
    if name in ("PNG", "TIFF"):
        return True
    if photo.deep is not None:
        return False
    if name == "BMP":
        return True
    if name == "WEBP":
        return photo.lossless and max(photo.width, photo.height) <= _WEBP_LONGEST_SIDE
    return name == "GIF" == photo.format  # its known colours fit one palette


def format_named(format: str) -> str:
    """The key of FORMATS that a user means by "png", ".jpg" or "JPEG"; InpaintError for anything else."""
    word = format.strip().lower().lstrip(".")
    for name, suffixes in FORMATS.items():
        if word == name.lower() or f".{word}" in suffixes:
            return name
    raise InpaintError(f"{format!r} is not a format photos can be saved in: choose one of {WRITABLE}.")
