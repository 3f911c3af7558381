"""Which part of a photo a fill reads, so that no more of it need travel to another process."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from inpaint_core.masks.boxes import Box
from inpaint_core.predictor.checks import checked
from inpaint_core.predictor.crops import Crop, plan_for
from inpaint_core.predictor.instances import instance
from inpaint_core.predictor.options import FillOptions, Result

BLENDING = 2  # pixels beside a hole that blending reads


def region(mask: np.ndarray, method: str | None = None, options: FillOptions = FillOptions()) -> Box:
    """The part of a photo that a fill reads: a photo cut to it is filled exactly as the whole one.

    Args:
        mask, method, options: as for `inpaint_core.predictor.fill`.

    Raises:
        InpaintError: what is wrong with the mask or the method, in one sentence.
    """
    name, hole = checked(mask, method)
    whole = Box(0, 0, *hole.shape)
    plans = {each: plan_for(hole, instance(each)) for each in {name, options.refine or name}}
    boxes = [crop.box for crops in plans.values() for crop in crops]
    box = boxes[0]
    for other in boxes:
        box = box.union(other)
    box = box.grown(BLENDING, whole)
    # Holes are grouped on a grid that depends on the photo's size: the same groups must come out of the part alone.
    same = all(plan_for(hole[box.slices], instance(each)) == _moved(crops, box) for each, crops in plans.items())
    return box if same else whole


def in_whole(result: Result, image: np.ndarray, box: Box) -> Result:
    """The result of a part of a photo, as the fill of the whole one would have given it.

    Args:
        result: of the photo cut to `box`.
        image: the photo, uint8 H x W x 3.
        box: see `region`.
    """
    if result.image is None:
        return result
    return replace(result, image=pasted(result.image, image, box), details=_details_in_whole(result.details, box))


def pasted(part: np.ndarray, image: np.ndarray, box: Box) -> np.ndarray:
    """A copy of a photo with a part of it, what lies in `box`, in another state: uint8 H x W x 3."""
    whole = image.copy()
    whole[box.slices] = part
    return whole


def _details_in_whole(details: dict[str, Any], box: Box) -> dict[str, Any]:
    """The details of `fill` with their boxes moved."""
    moved = dict(details)
    if "box" in moved:
        moved["box"] = moved["box"].moved(box.top, box.left)
    if "crops" in moved:
        moved["crops"] = [_details_in_whole(crop, box) for crop in moved["crops"]]
    if "refine" in moved:
        moved["refine"] = _details_in_whole(moved["refine"], box)
    return moved


def _moved(crops: list[Crop], box: Box) -> list[Crop]:
    """The same crops in a photo cut to `box`."""
    return [
        Crop(crop.box.moved(-box.top, -box.left), tuple(hole.moved(-box.top, -box.left) for hole in crop.holes))
        for crop in crops
    ]
