"""Photos of 16 bits a channel, PNG and TIFF, which Pillow would cut to 8: they are decoded by OpenCV."""

from __future__ import annotations

import cv2
import numpy as np
from PIL import TiffImagePlugin

from inpaint_core.errors import InpaintError
from inpaint_core.photo import metadata
from inpaint_core.photo.header import OpenedFile

_WHITE_IS_ZERO, _BLACK_IS_ZERO, _INKS = 0, 1, 5  # TIFF 6.0, PhotometricInterpretation
_UNSIGNED = 1  # TIFF 6.0, SampleFormat
_PNG_DEPTH_BYTE = 24  # of the file: in the IHDR chunk, behind width and height


def is_deep(file: OpenedFile) -> bool:
    """Whether the file stores 16 bits a channel; raises InpaintError for depths that cannot be read."""
    if file.format == "PNG":
        file.stream.seek(_PNG_DEPTH_BYTE)
        return file.stream.read(1) == b"\x10"
    if not isinstance(file.image, TiffImagePlugin.TiffImageFile):
        return False
    tags = file.image.tag_v2
    bits = set(tags.get(TiffImagePlugin.BITSPERSAMPLE, (1,)))
    if bits - {1, 2, 4, 8, 16} or set(tags.get(TiffImagePlugin.SAMPLEFORMAT, (_UNSIGNED,))) != {_UNSIGNED}:
        raise InpaintError(
            f"{file.name} does not hold 8-bit or 16-bit unsigned values but others (floating point, 12 or 32 bits): "
            "save it with 8 or 16 bits a channel first."
        )
    return bits == {16}


def decode(file: OpenedFile, orientation: int, notes: list[str]) -> np.ndarray | None:
    """A 16-bit file as uint16 H x W x C, upright, C = 1 (grey), 3 (RGB) or 4 (RGBA).

    None, with a note, for inks (CMYK), which are read with 8 bits and converted. Raises InpaintError for a TIFF of
    separate planes, which neither OpenCV nor Pillow reads right.
    """
    file.image.load()  # Pillow is strict about damaged files, OpenCV fills up what is missing
    photometric = _BLACK_IS_ZERO
    if isinstance(file.image, TiffImagePlugin.TiffImageFile):
        tags = file.image.tag_v2
        photometric = tags.get(TiffImagePlugin.PHOTOMETRIC_INTERPRETATION, _BLACK_IS_ZERO)
        if tags.get(TiffImagePlugin.PLANAR_CONFIGURATION, 1) != 1:
            raise InpaintError(
                f"{file.name} keeps its 16-bit colours in separate planes: save it interleaved, or as PNG."
            )
        if photometric == _INKS:
            notes.append("The 16 bits of a CMYK photo are read as 8.")
            return None
    array = cv2.imdecode(np.frombuffer(file.bytes(), np.uint8), cv2.IMREAD_UNCHANGED)
    if array is None or array.dtype != np.uint16:
        raise ValueError("OpenCV cannot decode this 16-bit file")
    if array.ndim == 2:
        array = array[..., None]
    elif array.shape[2] == 3:
        array = cv2.cvtColor(array, cv2.COLOR_BGR2RGB)
    elif array.shape[2] == 4:
        array = cv2.cvtColor(array, cv2.COLOR_BGRA2RGBA)
    if photometric == _WHITE_IS_ZERO:
        array = np.uint16(65535) - array
    key = file.image.info.get("transparency")
    if array.shape[2] == 1 and isinstance(key, int):  # PNG: the one grey that is transparent, which OpenCV ignores
        opaque = np.where(array == key, np.uint16(0), np.uint16(65535))
        array = np.concatenate([array, array, array, opaque], axis=2)
    # OpenCV, like Pillow, turns TIFF upright by itself, and PNG not
    return metadata.upright(array, orientation if file.format == "PNG" else 1)


def to_8_bits(deep: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """The nearest 8-bit pixels (H x W x 3) and alpha (H x W or None) of uint16 H x W x C."""
    rounded = cv2.convertScaleAbs(deep, alpha=1 / 257).reshape(deep.shape)
    alpha = np.ascontiguousarray(rounded[..., 3]) if deep.shape[2] == 4 else None
    if deep.shape[2] == 1:
        return np.repeat(rounded, 3, axis=2), None
    return np.ascontiguousarray(rounded[..., :3]), alpha
