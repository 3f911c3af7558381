"""The predictor: photo + mask (+ sketch) -> completed photo. It owns all geometry."""

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
    options: FillOptions = FillOptions(),  # noqa: B008  (frozen)
    *,
    progress: Progress | None = None,
    preview: Preview | None = None,
) -> Result:
    """Fill the hole of a photo with one method; see `inpaint_core.inpaint`."""
    return inpaint(
        image,
        mask,
        method,
        options.sketch,
        options.device,
        options.seed,
        refine=options.refine,
        blend=options.blend,
        weights=options.weights,
        explain=options.explain,
        progress=progress,
        preview=preview,
    )
