"""What a file says about its photo: orientation, EXIF, colour profile, resolution, JPEG quality."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from PIL import ExifTags, Image, ImageFile, JpegImagePlugin

from inpaint_core.photo.picture import JpegSettings

ORIENTATION = ExifTags.Base.Orientation.value
_EXIF_IFD, _GPS_IFD, _INTEROP_IFD = (
    ifd.value for ifd in (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo, ExifTags.IFD.Interop)
)
# Tags of the first directory that describe the photo. The rest describes how the old file stored it (a TIFF keeps its
# strips there) or shows the old photo once more (thumbnails, previews), so a list of what stays is the safe one.
_KEPT = tuple(
    tag.value
    for tag in (
        ExifTags.Base.ImageDescription,
        ExifTags.Base.Make,
        ExifTags.Base.Model,
        ExifTags.Base.Orientation,
        ExifTags.Base.Software,
        ExifTags.Base.DateTime,
        ExifTags.Base.Artist,
        ExifTags.Base.HostComputer,
        ExifTags.Base.Rating,
        ExifTags.Base.RatingPercent,
        ExifTags.Base.Copyright,
        ExifTags.Base.XPTitle,
        ExifTags.Base.XPComment,
        ExifTags.Base.XPAuthor,
        ExifTags.Base.XPKeywords,
        ExifTags.Base.XPSubject,
    )
)


def orientation_of(image: ImageFile.ImageFile) -> int:
    """EXIF orientation 1 to 8; 1 where the file has none, or one that means nothing."""
    value = image.getexif().get(ORIENTATION, 1)
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def upright(array: np.ndarray, orientation: int) -> np.ndarray:
    """`array` (H x W or H x W x C) turned as EXIF orientation 1 to 8 says, contiguous."""
    if orientation in (5, 6, 7, 8):
        array = array.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        array = array[:, ::-1]
    if orientation in (3, 4, 7, 8):
        array = array[::-1]
    return np.ascontiguousarray(array)


def kept_exif(image: ImageFile.ImageFile, width: int, height: int) -> bytes:
    """EXIF to write beside the completed photo: upright, its size right, no thumbnail; b"" where there is none."""
    kept = Image.Exif()
    kept.endian = image.getexif().endian  # camera makers' notes are read in the file's byte order
    copy_tags(image.getexif(), kept)
    details = kept.get(_EXIF_IFD, {})
    for tag, length in ((ExifTags.Base.ExifImageWidth, width), (ExifTags.Base.ExifImageHeight, height)):
        if tag.value in details:
            details[tag.value] = length
    return kept.tobytes() if len(kept) else b""


def copy_tags(exif: Image.Exif, target: Any) -> None:
    """Copy what is worth keeping into `target`, an `Image.Exif` or a TIFF directory; the orientation becomes 1."""
    for tag in _KEPT:
        if tag in exif:
            target[tag] = 1 if tag == ORIENTATION else exif[tag]
    for tag in (_EXIF_IFD, _GPS_IFD):
        directory = dict(exif.get_ifd(tag))
        if _INTEROP_IFD in directory:  # an offset into the old file: replace it by what stands there
            directory[_INTEROP_IFD] = dict(exif.get_ifd(_INTEROP_IFD))
        if directory:
            target[tag] = directory


def resolution(image: ImageFile.ImageFile) -> tuple[float, float] | None:
    """Dots an inch, horizontally and vertically; None where the file gives none or nonsense."""
    try:
        across, down = (float(value) for value in image.info["dpi"])
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    return (across, down) if all(math.isfinite(value) and 0 < value < 1e6 for value in (across, down)) else None


def profile_colours(profile: bytes | None) -> str | None:
    """The colour space an ICC profile describes: "RGB", "GRAY", "CMYK" (ICC.1, header bytes 16 to 19)."""
    return profile[16:20].decode("latin-1").strip() if profile and len(profile) >= 128 else None


def jpeg_settings(image: JpegImagePlugin.JpegImageFile, orientation: int) -> JpegSettings:
    """Quantisation tables and subsampling of an undecoded JPEG, as they are after it is turned upright."""
    tables = [np.reshape(image.quantization[component[3]], (8, 8)) for component in image.layer]
    subsampling = JpegImagePlugin.get_sampling(image)
    if orientation >= 5:  # rows become columns, frequencies too; 4:2:2 becomes 4:4:0, which Pillow cannot write
        tables = [table.T for table in tables]
        subsampling = 0 if subsampling == 1 else subsampling
    rows = [tuple(int(value) for value in table.ravel()) for table in tables]
    while len(rows) > 1 and rows[-1] == rows[-2]:  # the last table serves the components that follow as well
        rows.pop()
    return JpegSettings(
        tables=tuple(rows),
        subsampling=max(subsampling, 0),  # -1 is a layout Pillow cannot write: full chroma loses least
        progressive=bool(image.info.get("progressive")),
        rgb=image.mode == "RGB" and image.info.get("adobe_transform") == 0,
    )
