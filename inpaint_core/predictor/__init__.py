"""The predictor: photo + mask (+ sketch) -> completed photo."""

from __future__ import annotations

import numpy as np
from PIL import Image

from inpaint_core.predictor.options import FillOptions
from inpaint_core.predictor.predictor import Result, inpaint, warm_up
from inpaint_core.progress import Preview, Progress

__all__ = ["FillOptions", "Preview", "Progress", "Result", "fill", "warm_up"]


def fill(
    image: np.ndarray | Image.Image,
    mask: np.ndarray | Image.Image,
    method: str | None = None,
    options: FillOptions = FillOptions(),
    *,
    progress: Progress | None = None,
    preview: Preview | None = None,
) -> Result:
    """`inpaint_core.inpaint` with its options in one record."""
    return inpaint(image, mask, method, **vars(options), progress=progress, preview=preview)
