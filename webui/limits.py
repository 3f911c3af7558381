"""What a call that comes over the network may take; the command line has no such limits.

Of the environment: INPAINT_MAX_MEGAPIXELS and INPAINT_MAX_SIDE (pixels) of a photo or mask, INPAINT_MAX_BATCH photos at
once, INPAINT_WORKERS processes of INPAINT_WORKER_MEGABYTES each (0 processes: all runs in the server's own),
INPAINT_MAX_SECONDS that a fill may be estimated to take, INPAINT_TIME_FACTOR times which it may really take.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from inpaint_core import InpaintError
from inpaint_core import photo as photos
from inpaint_core.numeric import as_number, as_whole
from webui.workers.pool import Limits

PIXELS = round(1e6 * as_number(os.environ.get("INPAINT_MAX_MEGAPIXELS", "25"), "INPAINT_MAX_MEGAPIXELS", 0.1, 100))
SIDE = as_whole(os.environ.get("INPAINT_MAX_SIDE", "16384"), "INPAINT_MAX_SIDE", 64, 1_000_000)
BATCH = as_whole(os.environ.get("INPAINT_MAX_BATCH", "40"), "INPAINT_MAX_BATCH", 1, 10_000)
WORKERS = as_whole(os.environ.get("INPAINT_WORKERS", "3"), "INPAINT_WORKERS", 0, 64)
WORKER_MEGABYTES = as_whole(os.environ.get("INPAINT_WORKER_MEGABYTES", "1500"), "INPAINT_WORKER_MEGABYTES", 100, 10**6)
MAX_SECONDS = as_number(os.environ.get("INPAINT_MAX_SECONDS", "60"), "INPAINT_MAX_SECONDS", 1, 1e5)
TIME_FACTOR = as_number(os.environ.get("INPAINT_TIME_FACTOR", "10"), "INPAINT_TIME_FACTOR", 1, 1000)
LEAST_SECONDS = 30.0  # that any fill may take
QUICK_SECONDS = 3.0  # a fill that is estimated to take longer is a slow one, and leaves a process to the others


def read_photo(path: str | Path) -> photos.Photo:
    """A visitor's photo; `InpaintError` where it is not a photo, or too large to be decoded."""
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


def check_cost(seconds: float) -> Limits:
    """What a fill may take that is estimated to take `seconds`.

    Raises:
        InpaintError: it is too much.
    """
    if seconds > MAX_SECONDS:
        raise InpaintError(
            f"This would take about {seconds:.0f} s, and this server allows {MAX_SECONDS:.0f}: choose a quicker "
            "method, or paint fewer or smaller holes."
        )
    return Limits(max(LEAST_SECONDS, TIME_FACTOR * seconds), slow=seconds > QUICK_SECONDS)
