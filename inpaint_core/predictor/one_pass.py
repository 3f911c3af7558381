"""One method over a whole photo: every hole is cut out with its surroundings, filled and pasted back."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from inpaint_core.predictor import crops as geometry
from inpaint_core.predictor.one_crop import Given, fill_crop
from inpaint_core.progress import Preview, Progress, part_of

if TYPE_CHECKING:
    from inpaint_core.methods.base import FillMethod


def fill_photo(
    given: Given,
    method: FillMethod,
    device: str,
    seed: int,
    *,
    rim: bool = False,
    explain: bool = False,
    progress: Progress | None = None,
    preview: Preview | None = None,
) -> tuple[np.ndarray, dict[str, Any]]:
    """Fill every hole of a photo with one method.

    Args:
        given: the photo, its mask and what else the method is to have.
        method, device, seed: see `fill_crop`; each crop has a seed of its own.
        rim: for a blend: the known pixels beside the hole come back as the method would have filled them.
        explain: of the largest crop also gather what costs time to gather.
        progress: called now and then with the share done.
        preview: called a few times a second with the photo as far as it is filled, by methods that fill bit by bit.

    Returns:
        The completed photo, uint8 H x W x 3, and the details: "notes", "crops", and of the largest crop its "box", its
        "scale" and what the method tells of itself.
    """
    image, mask = given.image, given.mask
    completed = image.copy()
    taken = mask
    if rim:
        taken = cv2.dilate(mask.astype(np.uint8), cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))) > 0
    details: dict[str, Any] = {"notes": [], "crops": []}
    crops = geometry.plan_crops(
        mask,
        context=method.context,
        min_context=method.min_context,
        native_size=method.native_size,
        square=method.fixed_size,
    )

    def paste(photo: np.ndarray, filled: np.ndarray, crop: geometry.Crop) -> None:
        for hole in (geometry.grown(box, 1, crop.box) if rim else box for box in crop.holes):
            inside = taken[hole.slices]
            rows = slice(hole.top - crop.box.top, hole.bottom - crop.box.top)
            columns = slice(hole.left - crop.box.left, hole.right - crop.box.left)
            photo[hole.slices][inside] = filled[rows, columns][inside]

    def show(filled: np.ndarray, crop: geometry.Crop) -> None:
        if preview is not None:
            so_far = completed.copy()
            paste(so_far, filled, crop)
            preview(np.where(mask[..., None], so_far, image))

    for index, crop in enumerate(crops):
        last = index == len(crops) - 1  # the largest crop: its extras are the ones to show
        extras: dict[str, Any] = {
            "notes": [],
            "explain": explain and last,
            "progress": part_of(progress, index / len(crops), (index + 1) / len(crops)),
            "show": None if preview is None else partial(show, crop=crop),
        }
        filled, scale = fill_crop(given.cut(crop.box), method, device, seed + index, extras, rim)
        paste(completed, filled, crop)
        for word in ("explain", "progress", "show", "preview"):
            extras.pop(word, None)
        for note in extras.pop("notes"):
            if note not in details["notes"]:
                details["notes"].append(note)
        details["crops"].append({"box": crop.box, "scale": scale})
        if last:
            details.update(extras, box=crop.box, scale=scale)
        if progress is not None:
            progress((index + 1) / len(crops), f"{index + 1} of {len(crops)} regions")
    return completed, details
