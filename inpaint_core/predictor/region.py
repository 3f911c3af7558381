"""Which part of a photo a fill reads, so that no more of it need travel to another process."""

from __future__ import annotations

import numpy as np

from inpaint_core import catalogue
from inpaint_core.arguments import as_mask
from inpaint_core.masks.boxes import Box
from inpaint_core.predictor.crops import Crop, plan_crops
from inpaint_core.predictor.instances import instance
from inpaint_core.predictor.options import FillOptions

BLENDING = 2  # pixels beside a hole that blending reads


def region(mask: np.ndarray, method: str | None = None, options: FillOptions = FillOptions()) -> Box:
    """The part of a photo that a fill reads: a photo cut to it is filled exactly as the whole one.

    Args:
        mask, method, options: as for `inpaint_core.predictor.fill`.

    Raises:
        InpaintError: what is wrong with the mask or the method, in one sentence.
    """
    name = catalogue.default_method() if method is None else method
    catalogue.require_ready(name)
    options.check()
    hole = as_mask(mask, np.shape(mask)[:2])
    whole = Box(0, 0, *hole.shape)
    plans = {each: _plan(hole, each) for each in {name, options.refine or name}}
    boxes = [crop.box for crops in plans.values() for crop in crops]
    box = boxes[0]
    for other in boxes:
        box = box.union(other)
    box = box.grown(BLENDING, whole)
    # Holes are grouped on a grid that depends on the photo's size: the same groups must come out of the part alone.
    same = all(_plan(hole[box.slices], each) == _moved(crops, box) for each, crops in plans.items())
    return box if same else whole


def _plan(hole: np.ndarray, name: str) -> list[Crop]:
    method = instance(name)
    return plan_crops(
        hole,
        margin=method.margin,
        min_margin=method.min_margin,
        native_size=method.native_size,
        square=method.fixed_size,
    )


def _moved(crops: list[Crop], box: Box) -> list[Crop]:
    """The same crops in a photo cut to `box`."""
    return [
        Crop(crop.box.moved(-box.top, -box.left), tuple(hole.moved(-box.top, -box.left) for hole in crop.holes))
        for crop in crops
    ]
