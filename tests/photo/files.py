"""Picture files made for the tests of photos, and the hole that is filled in them."""

from __future__ import annotations

import io

import cv2
import numpy as np
from PIL import ExifTags, Image, TiffImagePlugin

from inpaint_core import photo

HEIGHT, WIDTH = 45, 64
HOLE = np.zeros((HEIGHT, WIDTH), bool)
HOLE[10:25, 20:50] = True
KNOWN = ~HOLE


def saved(image: Image.Image, format: str, **settings) -> bytes:
    stream = io.BytesIO()
    image.save(stream, format, **settings)
    return stream.getvalue()


def fill_of(picture: photo.Photo) -> np.ndarray:
    """A completed image: its hole is filled with a colour ramp that no photo here contains."""
    image = picture.pixels.copy()
    image[HOLE] = np.stack([np.arange(HOLE.sum()) % 251, np.full(HOLE.sum(), 7), np.arange(HOLE.sum()) // 2], -1)
    return image


def cv_encode(suffix: str, array: np.ndarray) -> bytes:
    if array.ndim == 3:
        array = cv2.cvtColor(array, cv2.COLOR_RGB2BGR if array.shape[2] == 3 else cv2.COLOR_RGBA2BGRA)
    return cv2.imencode(suffix, array)[1].tobytes()


def cv_decode(data: bytes) -> np.ndarray:
    array = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if array.ndim == 2:
        return array
    return cv2.cvtColor(array, cv2.COLOR_BGR2RGB if array.shape[2] == 3 else cv2.COLOR_BGRA2RGBA)


def raw_tiff(array: np.ndarray, tags: dict[int, int]) -> bytes:
    """An uncompressed 16-bit TIFF of one strip, with `tags` beside or instead of the usual ones."""
    height, width, channels = array.reshape(*array.shape[:2], -1).shape
    usual = {256: width, 257: height, 258: (16,) * channels, 259: 1, 262: 1 if channels == 1 else 2, 277: channels}
    directory = TiffImagePlugin.ImageFileDirectory_v2()
    for tag, value in {**usual, 273: 0, 278: height, 279: array.nbytes, **tags}.items():
        directory[tag] = value
    stream = io.BytesIO()
    directory.save(stream)
    return stream.getvalue() + array.astype("<u2").tobytes()


def of_mode(mode: str, rgb: np.ndarray, alpha: np.ndarray) -> Image.Image:
    picture = Image.fromarray(rgb)
    if mode in ("RGBA", "LA"):
        picture.putalpha(Image.fromarray(alpha))
        return picture.convert(mode)
    if mode == "P+alpha":
        palette = picture.quantize(200)
        palette.info["transparency"] = palette.getpixel((0, 0))
        return palette
    return picture.quantize(200) if mode == "P" else picture.convert(mode)


def camera_exif(orientation: int | None = None) -> Image.Exif:
    exif = Image.Exif()
    exif.endian = "<"
    exif[ExifTags.Base.Make] = "Maker"
    exif[ExifTags.Base.Copyright] = "Me"
    exif[ExifTags.IFD.Exif] = {ExifTags.Base.DateTimeOriginal: "2024:05:06 07:08:09", ExifTags.Base.ExposureTime: 0.01}
    exif[ExifTags.IFD.GPSInfo] = {ExifTags.GPS.GPSLatitudeRef: "N", ExifTags.GPS.GPSLatitude: (52.0, 30.0, 15.5)}
    if orientation is not None:
        exif[ExifTags.Base.Orientation] = orientation
    return exif


def psnr(first: np.ndarray, second: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / np.mean((first.astype(float) - second) ** 2)))


NOISE = np.random.default_rng(1).integers(0, 256, (64, 64, 3), dtype=np.uint8)
