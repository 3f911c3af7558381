"""How large a photo or a mask may be that comes over the network; the command line has no such limits.

INPAINT_MAX_MEGAPIXELS (default 25), INPAINT_MAX_SIDE (default 16384 pixels) and INPAINT_MAX_BATCH (default 40 photos)
in the environment set them.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from inpaint_core import InpaintError
from inpaint_core import photo as photos
from inpaint_core.numeric import as_number, as_whole

PIXELS = round(1e6 * as_number(os.environ.get("INPAINT_MAX_MEGAPIXELS", "25"), "INPAINT_MAX_MEGAPIXELS", 0.1, 100))
SIDE = as_whole(os.environ.get("INPAINT_MAX_SIDE", "16384"), "INPAINT_MAX_SIDE", 64, 1_000_000)
BATCH = as_whole(os.environ.get("INPAINT_MAX_BATCH", "40"), "INPAINT_MAX_BATCH", 1, 10_000)


def read_photo(path: str | Path) -> photos.Photo:
    """A visitor's photo; `InpaintError` where it is none, or too large to be decoded."""
    return photos.read(path, PIXELS, SIDE)


def read_mask(path: str | Path) -> np.ndarray:
    """A visitor's mask or sketch as `inpaint_core.photo.read_mask` gives it; `InpaintError` as for `read_photo`."""
    return photos.read_mask(path, PIXELS, SIDE)


def check_size(width: object, height: object) -> tuple[int, int]:
    """Width and height of a picture that a visitor asks for, as whole numbers.

    Raises:
        InpaintError: they are not, or the picture would be too large.
    """
    columns, rows = as_whole(width, "The width", 1, SIDE), as_whole(height, "The height", 1, SIDE)
    if rows * columns > PIXELS:
        raise InpaintError(
            f"{columns} x {rows} pixels are more than the {PIXELS / 1e6:g} million that this server allows; "
            "ask for fewer."
        )
    return columns, rows
