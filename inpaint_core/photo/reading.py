"""Read a photo or a mask from a file: orientation, transparency, CMYK, palettes, 16 bits."""

from __future__ import annotations

import io

import cv2
import numpy as np
from PIL import Image, ImageCms, JpegImagePlugin

from inpaint_core.errors import InpaintError
from inpaint_core.photo import deep as sixteen
from inpaint_core.photo import metadata
from inpaint_core.photo.header import MAX_PIXELS, OpenedFile, Source, opened
from inpaint_core.photo.picture import Photo

_BAND = 256  # rows converted at a time, so that no second whole copy of the photo is held
_GREY_MODES = ("1", "L", "LA", "La", "I;16", "I;16B", "I;16L", "I;16N")


def read(source: Source, max_pixels: int = MAX_PIXELS, max_side: int | None = None) -> Photo:
    """Read a photo, upright, as 8-bit RGB beside everything needed to save it the way it came.

    `source` is a path, the file's bytes or a binary stream. The size is checked against `max_pixels` and
    `max_side` before decoding.
    Raises InpaintError, one sentence with the file's name, for anything that is not a whole picture.
    """
    with opened(source, max_pixels, max_side) as file:
        image, notes = file.image, list[str]()
        orientation = metadata.orientation_of(image)
        jpeg = None
        if isinstance(image, JpegImagePlugin.JpegImageFile) and image.mode in ("L", "RGB"):
            jpeg = metadata.jpeg_settings(image, orientation)
        grey = image.mode in _GREY_MODES
        icc = image.info.get("icc_profile") or None
        deep, pixels, alpha = None, None, None
        if sixteen.is_deep(file):
            deep = sixteen.decode(file, orientation, notes)
        if deep is None:
            pixels, alpha = _decode(file, orientation, notes)
            if image.mode == "CMYK":
                icc = None  # it describes inks, and the pixels are sRGB now
        else:
            pixels, alpha = sixteen.to_8_bits(deep)
            notes.append("The photo has 16 bits a channel: known pixels keep them when it is saved as PNG or TIFF.")
        if file.format == "HEIC":
            notes.append("The photo is a HEIC: it is saved as JPEG, or as PNG without loss.")
        _note_what_is_left_out(file, notes)
        height, width = pixels.shape[:2]
        try:
            exif = metadata.kept_exif(image, width, height)
        except Exception:  # the parser of a damaged directory raises nearly anything; the photo itself is fine
            exif = b""
            notes.append("The photo's EXIF metadata is damaged and is left out of the result.")
        return Photo(
            pixels=pixels,
            alpha=alpha,
            format="JPEG" if file.format == "HEIC" else file.format,
            grey=grey,
            deep=deep,
            exif=exif,
            icc=icc,
            dpi=metadata.resolution(image),
            jpeg=jpeg,
            lossless=file.lossless,
            compressed=image.info.get("compression") != "raw",
            path=file.path,
            notes=tuple(notes),
        )


def read_mask(source: Source, max_pixels: int = MAX_PIXELS, max_side: int | None = None) -> np.ndarray:
    """Read a mask file as it is, upright: uint8 H x W where it is grey, H x W x 3 RGB, or H x W x 4 where it has alpha.

    What its values mean is for `inpaint_core.masks` to say. Errors are those of `read`. A 16-bit mask is rounded up,
    so that a small value still is one.
    """
    with opened(source, max_pixels, max_side) as file:
        orientation = metadata.orientation_of(file.image)
        grey = file.image.mode in _GREY_MODES
        deep = sixteen.decode(file, orientation, []) if sixteen.is_deep(file) else None
        if deep is not None:
            mask = np.empty(deep.shape, np.uint8)
            for row in range(0, len(deep), _BAND):
                mask[row : row + _BAND] = (deep[row : row + _BAND].astype(np.uint32) + 256) // 257
            return np.squeeze(mask, axis=2) if deep.shape[2] == 1 else mask
        pixels, alpha = _decode(file, orientation, [])
    if alpha is not None:
        return np.dstack([pixels, alpha])
    return np.ascontiguousarray(pixels[..., 0]) if grey else pixels


def thumbnail(photo: Photo, max_pixels: int = 2_000_000) -> np.ndarray:
    """A copy of the photo for the canvas, uint8 H x W x 3 of at most `max_pixels` pixels, by area averaging."""
    scale = (max_pixels / (photo.width * photo.height)) ** 0.5
    if scale >= 1:
        return photo.pixels.copy()
    size = max(1, int(photo.width * scale)), max(1, int(photo.height * scale))
    return cv2.resize(photo.pixels, size, interpolation=cv2.INTER_AREA)


def _decode(file: OpenedFile, orientation: int, notes: list[str]) -> tuple[np.ndarray, np.ndarray | None]:
    """Pixels uint8 H x W x 3 and alpha uint8 H x W or None, upright."""
    image: Image.Image = file.image
    if image.mode in ("I", "F"):
        raise InpaintError(f"{file.name} holds 32-bit values, which have no fixed white: save it with 8 or 16 bits.")
    if image.mode == "LAB":
        raise InpaintError(f"{file.name} holds Lab colours: save it as RGB first.")
    image.load()
    if file.format == "TIFF":
        orientation = 1  # Pillow turns TIFF upright by itself
    if image.mode == "CMYK":
        image = _from_inks(image, notes)
    elif image.mode == "1":
        notes.append("The picture has 1 bit a pixel: it is saved as grey.")
    elif image.mode in ("P", "PA") and file.format != "GIF":
        notes.append("The picture uses a palette: it is saved in full colour.")
    width, height = image.size
    pixels = np.empty((height, width, 3), np.uint8)
    alpha = np.empty((height, width), np.uint8) if image.has_transparency_data else None
    for top in range(0, height, _BAND):
        band = image.crop((0, top, width, min(top + _BAND, height)))
        rows = slice(top, top + band.height)
        if alpha is None:
            pixels[rows] = np.asarray(band.convert("RGB"))
        else:
            converted = np.asarray(band.convert("RGBA"))
            pixels[rows], alpha[rows] = converted[..., :3], converted[..., 3]
    if orientation != 1:
        pixels = metadata.upright(pixels, orientation)
        alpha = None if alpha is None else metadata.upright(alpha, orientation)
    return pixels, alpha


def _from_inks(image: Image.Image, notes: list[str]) -> Image.Image:
    """CMYK as sRGB, by the file's colour profile where it has a usable one."""
    profile = image.info.get("icc_profile")
    if profile and metadata.profile_colours(profile) == "CMYK":
        try:
            converted = ImageCms.profileToProfile(
                image, ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB"), outputMode="RGB"
            )
        except ImageCms.PyCMSError:
            notes.append("The photo's CMYK colour profile is damaged and was not used.")
        else:
            notes.append("The photo's CMYK colours were converted to sRGB by its colour profile: it is saved as RGB.")
            assert converted is not None  # None is for a conversion in place
            return converted
    notes.append("The photo's CMYK colours were converted to RGB without a colour profile: shades may differ a little.")
    return image.convert("RGB")


def _note_what_is_left_out(file: OpenedFile, notes: list[str]) -> None:
    if "mp" in file.image.info:
        notes.append("The file holds further pictures (an HDR gain map or a depth map): they are left out.")
    elif getattr(file.image, "is_animated", False):
        what = "pages: only the first one" if file.format == "TIFF" else "frames: only the first one"
        notes.append(f"The file holds several {what} is read and saved.")
