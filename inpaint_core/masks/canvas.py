"""Masks that users bring: painted layers, mask files, boxes; and their way between canvas and photo size."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np
from PIL import Image

from inpaint_core.errors import InpaintError

_UNIFORM = 24
"""Colours that differ by less than this (of 255) in every channel count as one paint."""


def from_layers(layers: Iterable[np.ndarray | Image.Image | None]) -> np.ndarray:
    """The union of what is painted on the layers of a canvas, as gradio's ImageEditor gives them.

    A pixel is painted where its alpha is above 0: a brush of half opacity leaves an alpha of 127 only.

    Args:
        layers: RGBA pictures of one size (uint8, H x W x 4, or PIL); None for a layer that was never touched.

    Returns:
        bool, H x W, True = hole.

    Raises:
        InpaintError: if there is no layer, one has no alpha, or sizes differ.
    """
    union: np.ndarray | None = None
    for layer in layers:
        if layer is None:
            continue
        pixels = np.asarray(layer)
        if pixels.ndim != 3 or pixels.shape[2] != 4:
            raise InpaintError(f"A painted layer must be RGBA, height x width x 4, not of shape {pixels.shape}.")
        painted = pixels[..., 3] > 0
        if union is not None and union.shape != painted.shape:
            raise InpaintError(
                f"All layers must have one size, not {_size(union.shape)} and {_size(painted.shape)}: clear the canvas."
            )
        union = painted if union is None else union | painted
    if union is None:
        raise InpaintError("There is nothing to fill yet: load a photo and paint over what should be removed.")
    return union


def from_file(picture: np.ndarray | Image.Image) -> np.ndarray:
    """The hole of a mask file: white (or painted) is hole, soft edges are cut at half.

    What carries the mask is guessed from the content:
        no alpha, or the same alpha everywhere: the brightest channel, so that red paint on black counts too;
        visible pixels black and white: the same, with what is transparent taken as black;
        visible pixels of one colour: the paint itself, whatever its colour and opacity;
        visible pixels of many colours: a photo with parts erased, so what is transparent is the hole.

    Args:
        picture: bool, integer or float (in [0, 1]) array, H x W or H x W x (1, 2, 3, 4), or PIL. An integer array of
            nothing but 0 and 1 is read as numbers, not as two near blacks.

    Returns:
        bool, H x W, True = hole.

    Raises:
        InpaintError: for any other shape, or values that are not numbers.
    """
    pixels = _as_levels(picture)
    channels = pixels.shape[2]
    colour = pixels[..., : channels - 1] if channels in (2, 4) else pixels
    brightest = colour[..., 0]
    for channel in range(1, colour.shape[2]):
        brightest = np.maximum(brightest, colour[..., channel])  # ten times as fast as max(axis=2)
    if channels not in (2, 4):
        return brightest >= 128
    alpha = pixels[..., 3 if channels == 4 else 1]
    most, least = int(alpha.max()), int(alpha.min())
    if most == least:
        return (brightest >= 128) & (most > 0)
    visible = alpha * 2.0 >= most
    seen = colour[visible]
    if (np.ptp(seen, axis=0) < _UNIFORM).all():
        return visible
    dark, bright = (seen < _UNIFORM).all(axis=1), (seen > 255 - _UNIFORM).all(axis=1)
    if (dark | bright).mean() > 0.95:
        return visible & (brightest >= 128)
    return alpha < 128


def from_box(box: Sequence[float], height: int, width: int) -> np.ndarray:
    """The hole of a box, cut at the borders of the image.

    Args:
        box: x, y of the left upper corner, width and height in pixels. A fraction of a pixel takes the whole one.
        height, width: size of the image.

    Returns:
        bool, height x width, True = hole.

    Raises:
        InpaintError: if the box is not four numbers, has no area or lies beside the image.
    """
    if len(box) != 4 or not all(math.isfinite(number) for number in box):
        raise InpaintError(f"A box is four numbers: x, y, width, height; not {tuple(box)}.")
    x, y, box_width, box_height = box
    if box_width <= 0 or box_height <= 0:
        raise InpaintError(f"A box needs a width and a height above 0, not {box_width} and {box_height}.")
    left, right = max(math.floor(x), 0), min(math.ceil(x + box_width), width)
    top, bottom = max(math.floor(y), 0), min(math.ceil(y + box_height), height)
    if left >= right or top >= bottom:
        raise InpaintError(f"The box {tuple(box)} lies beside the image of {width} x {height} pixels: move it inside.")
    mask = np.zeros((height, width), dtype=bool)
    mask[top:bottom, left:right] = True
    return mask


def resize(mask: np.ndarray, height: int, width: int) -> np.ndarray:
    """Scale a mask so that its hole covers all it covered: a pixel is hole if any hole pixel lies under it.

    A stroke one pixel wide survives in both directions; whole multiples of a size repeat pixels exactly.

    Args:
        mask: bool or uint8 (> 0 = hole), H x W.
        height, width: the new size.

    Returns:
        bool, height x width, True = hole.

    Raises:
        InpaintError: for a mask that is not H x W or a size under one pixel.
    """
    if mask.ndim != 2 or not mask.size:
        raise InpaintError(f"A mask must have the shape height x width, not {mask.shape}.")
    if height < 1 or width < 1:
        raise InpaintError(f"A mask cannot be scaled to {width} x {height} pixels.")
    hole = np.asarray(mask) > 0
    if hole.shape[0] != height:
        hole = _cover_rows(hole, height)
    if hole.shape[1] != width:
        hole = _cover_rows(hole.T, width).T
    return np.ascontiguousarray(hole)


def _cover_rows(hole: np.ndarray, length: int) -> np.ndarray:
    """New row i covers the old rows from i * ratio up to (i + 1) * ratio; any hole among them makes it hole."""
    old = hole.shape[0]
    row = np.arange(length, dtype=np.int64)
    first, end = row * old // length, -(-(row + 1) * old // length)
    below = np.zeros((old + 1, hole.shape[1]), dtype=np.int32)
    np.cumsum(hole, axis=0, out=below[1:], dtype=np.int32)
    return below[end] > below[first]


def _as_levels(picture: np.ndarray | Image.Image) -> np.ndarray:
    """Any picture as H x W x channels of 0 to 255."""
    if isinstance(picture, Image.Image):
        if picture.mode in ("P", "PA") or (picture.mode in ("L", "RGB") and "transparency" in picture.info):
            picture = picture.convert("RGBA")
        elif picture.mode in ("CMYK", "YCbCr", "LAB", "HSV"):
            picture = picture.convert("RGB")
    pixels = np.asarray(picture)
    if pixels.ndim == 2:
        pixels = pixels[..., None]
    if pixels.ndim != 3 or pixels.shape[2] not in (1, 2, 3, 4) or not pixels.size:
        raise InpaintError(f"A mask file must be a grey, RGB or RGBA picture, not an array of shape {pixels.shape}.")
    if pixels.dtype.kind == "f":
        if not np.isfinite(pixels).all():
            raise InpaintError("The mask holds values that are not numbers (NaN or infinity): make it 0 and 1.")
        return (pixels.clip(0, 1) * 255).astype(np.float32)
    if pixels.dtype.kind not in "bui":
        raise InpaintError(f"A mask must hold numbers, not {pixels.dtype}.")
    if pixels.dtype.kind == "b" or (pixels.max() == 1 and pixels.min() == 0):
        return pixels.astype(np.uint8) * 255
    if pixels.dtype == np.uint8:
        return pixels
    if pixels.min() < 0:
        raise InpaintError("The mask holds negative values: make it 0 for known and 255 for hole.")
    # 16-bit pictures arrive from PIL as uint16 or int32.
    return pixels // 257 if pixels.max() > 255 else pixels


def _size(shape: tuple[int, ...]) -> str:
    return f"{shape[1]} x {shape[0]}"
