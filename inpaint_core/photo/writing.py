"""Write a completed photo the way its file came: format, quality, transparency, 16 bits, EXIF, profile, resolution."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from inpaint_core.errors import InpaintError
from inpaint_core.files import write_atomically
from inpaint_core.photo import metadata
from inpaint_core.photo.containers import COMPRESSION_LEVEL, deep_png, tiff
from inpaint_core.photo.palette import to_palette
from inpaint_core.photo.picture import FORMATS, WRITABLE, Photo, format_named

_HIGH_QUALITY = 95  # where the source's own quality is not known
_LONGEST_EXIF = 65533  # of one JPEG segment


def encode(photo: Photo, image: np.ndarray, *, mask: np.ndarray | None = None, format: str | None = None) -> bytes:
    """The completed photo as the bytes of a file, in `format` or else in the photo's own.

    `image`: uint8 H x W x 3, the completed pixels, of the photo's size. `mask`: H x W, True where something was filled;
    pixels that differ from the photo's count as filled as well. Known pixels keep 16 bits and transparency where the
    format has them; filled ones become opaque. Raises InpaintError for another size or type, or an unknown format.
    """
    name = photo.format if format is None else format_named(format)
    filled = _filled(photo, image, mask)
    alpha = photo.alpha
    if alpha is not None:
        alpha = np.where(filled, np.uint8(255), alpha)
    try:
        return _ENCODERS[name](photo, image, alpha, filled)
    except (OSError, ValueError, OverflowError, RuntimeError, struct.error, cv2.error) as error:  # by what is too large
        raise InpaintError(
            f"{photo.width} x {photo.height} pixels cannot be saved as {name} ({error}): save as PNG instead."
        ) from error


def write(
    photo: Photo,
    image: np.ndarray,
    path: str | Path,
    *,
    mask: np.ndarray | None = None,
    format: str | None = None,
    overwrite: bool = False,
) -> Path:
    """Write the completed photo to `path` and return it; see `encode` for the other arguments.

    The format is `format`, else that of the path's suffix, else (no suffix) the photo's own. The file appears whole or
    not at all. Raises InpaintError for an unknown suffix, an absent folder, and for the photo's own source file unless
    `overwrite`.
    """
    path = Path(path)
    name = format_named(format) if format is not None else _format_of(path, photo.format)
    if path.is_dir():
        raise InpaintError(f"{path.name} is a folder: give the path of a file to save to.")
    if not path.parent.is_dir():
        raise InpaintError(f"The folder {path.parent} does not exist: create it or save elsewhere.")
    if not overwrite and photo.path is not None and _same_file(path, photo.path):
        raise InpaintError(f"{path.name} is the source photo: save under another name, or ask to overwrite it.")
    data = encode(photo, image, mask=mask, format=name)
    try:
        write_atomically(path, data)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise InpaintError(f"{path.name} cannot be saved ({reason}): save elsewhere.") from error
    return path


def _filled(photo: Photo, image: np.ndarray, mask: np.ndarray | None) -> np.ndarray:
    """bool H x W: where the result is not the photo's own pixel."""
    shape = photo.pixels.shape
    if image.dtype != np.uint8 or image.shape != shape:
        raise InpaintError(
            f"The completed image must be uint8 of {photo.height} x {photo.width} x 3 like the photo, "
            f"not {image.dtype} of {' x '.join(map(str, image.shape))}."
        )
    if mask is not None and mask.shape != shape[:2]:
        raise InpaintError(
            f"The mask is {' x '.join(map(str, mask.shape))} but the photo {photo.height} x {photo.width}: "
            "give the mask the photo was filled with."
        )
    changed = np.any(image != photo.pixels, axis=2)
    return changed if mask is None else changed | (mask > 0)


def _format_of(path: Path, default: str) -> str:
    if not path.suffix:
        return default
    for name, suffixes in FORMATS.items():
        if path.suffix.lower() in suffixes:
            return name
    raise InpaintError(f"{path.name} ends in {path.suffix}, which is no format to save in: use one of {WRITABLE}.")


def _same_file(path: Path, other: Path) -> bool:
    try:
        return path.samefile(other)
    except OSError:  # one of them does not exist
        return False


def _eight_bits(photo: Photo, image: np.ndarray, alpha: np.ndarray | None) -> np.ndarray:
    """What an 8-bit format stores: H x W of a grey photo, H x W x 2 grey and alpha, H x W x 3 or H x W x 4."""
    colours = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) if photo.grey else image
    return colours if alpha is None else np.dstack([colours, alpha])


def _sixteen_bits(photo: Photo, image: np.ndarray, filled: np.ndarray) -> np.ndarray:
    """uint16 H x W x C: the source's own values where known, the fill stretched to 16 bits elsewhere."""
    assert photo.deep is not None
    array = photo.deep.copy()
    if array.shape[2] == 1:
        array[filled, 0] = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[filled].astype(np.uint16) * 257
    else:
        array[filled, :3] = image[filled].astype(np.uint16) * 257
        array[filled, 3:] = 65535
    return array


def _on_white(image: np.ndarray, alpha: np.ndarray | None) -> np.ndarray:
    """`image` without transparency, for formats that have none."""
    if alpha is None or alpha.min() == 255:
        return image
    weight = alpha[..., None].astype(np.float32) / 255
    return np.rint(image * weight + 255 * (1 - weight)).astype(np.uint8)


def _fitting_profile(photo: Photo, grey: bool) -> bytes | None:
    """The photo's colour profile where it describes what is written; a wrong one makes viewers refuse the file."""
    colours = metadata.profile_colours(photo.icc)
    return photo.icc if colours == "RGB" or (colours == "GRAY" and grey) else None


def _save(array: np.ndarray, format: str, photo: Photo, **settings: Any) -> bytes:
    extras: dict[str, Any] = {
        "dpi": photo.dpi,
        "exif": photo.exif,
        "icc_profile": _fitting_profile(photo, grey=array.ndim == 2 or array.shape[2] == 2),
    }
    stream = io.BytesIO()
    Image.fromarray(array).save(stream, format, **{key: value for key, value in extras.items() if value}, **settings)
    return stream.getvalue()


def _jpeg(photo: Photo, image: np.ndarray, alpha: np.ndarray | None, filled: np.ndarray) -> bytes:
    array = _eight_bits(photo, _on_white(image, alpha), None)
    settings: dict[str, Any] = {"quality": _HIGH_QUALITY, "subsampling": 0}
    if photo.jpeg is not None:
        settings = {"qtables": [list(table) for table in photo.jpeg.tables], "subsampling": photo.jpeg.subsampling}
        settings["progressive"] = photo.jpeg.progressive
        settings["keep_rgb"] = photo.jpeg.rgb
    if len(photo.exif) > _LONGEST_EXIF:  # from a PNG or a TIFF, which hold more than a JPEG
        settings["exif"] = b""
    return _save(array, "JPEG", photo, **settings)


def _png(photo: Photo, image: np.ndarray, alpha: np.ndarray | None, filled: np.ndarray) -> bytes:
    if photo.deep is None:
        return _save(_eight_bits(photo, image, alpha), "PNG", photo, compress_level=COMPRESSION_LEVEL)
    array = _sixteen_bits(photo, image, filled)
    return deep_png(array, photo.exif, _fitting_profile(photo, grey=array.shape[2] == 1), photo.dpi)


def _tiff(photo: Photo, image: np.ndarray, alpha: np.ndarray | None, filled: np.ndarray) -> bytes:
    if photo.deep is None:
        array = _eight_bits(photo, image, alpha)
        array = array[..., None] if array.ndim == 2 else array
    else:
        array = _sixteen_bits(photo, image, filled)
    profile = _fitting_profile(photo, grey=array.shape[2] <= 2)
    return tiff(array, photo.exif, profile, photo.dpi, compressed=photo.compressed)


def _webp(photo: Photo, image: np.ndarray, alpha: np.ndarray | None, filled: np.ndarray) -> bytes:
    array = image if alpha is None else np.dstack([image, alpha])
    if photo.lossless:
        return _save(array, "WEBP", photo, lossless=True, exact=True)  # exact: colours under transparency stay
    return _save(array, "WEBP", photo, quality=_HIGH_QUALITY)


def _bmp(photo: Photo, image: np.ndarray, alpha: np.ndarray | None, filled: np.ndarray) -> bytes:
    if alpha is None:
        return _save(_eight_bits(photo, image, None), "BMP", photo)
    # Pillow writes alpha into a header that leaves it out when read; OpenCV writes the newer one
    return cv2.imencode(".bmp", np.dstack([image[..., ::-1], alpha]))[1].tobytes()


def _gif(photo: Photo, image: np.ndarray, alpha: np.ndarray | None, filled: np.ndarray) -> bytes:
    indices, colours, transparent = to_palette(image, alpha, filled)
    picture = Image.fromarray(indices)
    picture.putpalette(colours.tobytes())
    stream = io.BytesIO()
    picture.save(stream, "GIF", optimize=False, **({} if transparent is None else {"transparency": transparent}))
    return stream.getvalue()


def _avif(photo: Photo, image: np.ndarray, alpha: np.ndarray | None, filled: np.ndarray) -> bytes:
    array = image if alpha is None else np.dstack([image, alpha])
    return _save(array, "AVIF", photo, quality=_HIGH_QUALITY, subsampling="4:4:4")


_ENCODERS: dict[str, Callable[[Photo, np.ndarray, np.ndarray | None, np.ndarray], bytes]] = {
    "JPEG": _jpeg,
    "PNG": _png,
    "TIFF": _tiff,
    "WEBP": _webp,
    "BMP": _bmp,
    "GIF": _gif,
    "AVIF": _avif,
}
