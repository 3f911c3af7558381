"""Tries methods where the truth is known and ranks them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PIL import Image

from inpaint_core import catalogue, masks, predictor
from inpaint_core.arguments import as_image, as_mask
from inpaint_core.errors import InpaintError
from inpaint_core.masks.boxes import Box, bounding_box
from inpaint_core.numeric import as_whole
from inpaint_core.predictor import FillOptions, Progress, Result

if TYPE_CHECKING:
    from torch import Tensor

SIDE = 512  # pixels, the longer side of what is tried: the ranking of methods hardly depends on more
LEAST_CONTEXT = 64  # pixels around a copy of the hole
MOST_PLACES = 16
DROPPED = 1.25  # a method whose LPIPS so far exceeds the best one's by this factor is tried no further ...
DROPPED_AFTER = 2  # ... once it was tried at this many places: one place alone proves little


@dataclass(frozen=True)
class Score:
    """How well a method filled the copies of the hole; less is better."""

    method: str
    lpips: float  # mean over the places, of the hole alone
    l1: float  # the same, of values in [0, 1]
    wins: int  # places where its LPIPS was the least of all
    places: int  # where it was tried: a method far behind the best is dropped
    seconds: float  # of one fill, on the mean


@dataclass(frozen=True)
class Suggestion:
    """The methods tried, the best one first, and where they were tried."""

    scores: tuple[Score, ...]
    places: tuple[np.ndarray, ...]  # bool H x W each, in the photo's size, True = tried there

    @property
    def best(self) -> Score:
        """Of the least LPIPS at all places."""
        return self.scores[0]

    @property
    def sentence(self) -> str:
        """Which method, by how much, and on what that is founded."""
        title = catalogue.get(self.best.method).title
        count = f"{len(self.places)} intact place{'s' if len(self.places) > 1 else ''} of this photo"
        if len(self.scores) == 1:
            return f"{title}: LPIPS {self.best.lpips:.3f} at {count}."
        second = self.scores[1]
        margin = 1 - self.best.lpips / second.lpips if second.lpips else 0.0
        return (
            f"{title} came nearest to the truth at {count}: LPIPS {self.best.lpips:.3f}, {margin:.0%} less than "
            f"{catalogue.get(second.method).title} ({second.lpips:.3f})."
        )


def suggest(
    image: np.ndarray | Image.Image,
    mask: np.ndarray | Image.Image,
    methods: Sequence[str] | None = None,
    options: FillOptions = FillOptions(),
    *,
    places: int = 4,
    progress: Progress | None = None,
    fill: Callable[..., Result] = predictor.fill,
) -> Suggestion:
    """Try methods on this photo where the truth is known, and rank them.

    The hole is moved to intact places that resemble its surroundings in colour and texture; each method fills those,
    without seeing what the hole hides, and the fills are measured against the photo by LPIPS and L1. A photo whose
    longer side is over 512 pixels is tried at 512.

    Args:
        image: uint8 H x W x 3 RGB, or a PIL image.
        mask: H x W bool or numbers, > 0 = hole, or a PIL image.
        methods: names of the catalogue; None tries every quick method that is ready and sees nothing of the hole.
        options: of every fill; a sketch and colours are left out, since they were drawn for the hole itself.
        places: how many are tried, at most, 1 to 16.
        progress: called with the share of all fills done, and a text.
        fill: called in place of `inpaint_core.predictor.fill`, with the same arguments.

    Raises:
        InpaintError: a bad image, mask, option or name, LPIPS is not here, or the hole leaves nothing to try.
    """
    from inpaint_core import metrics  # torch and scipy, which importing this package must not wait for
    from inpaint_core.suggestion.places import find

    pixels = as_image(image)
    hole = as_mask(mask, pixels.shape[:2])
    count = as_whole(places, "The number of places", 1, MOST_PLACES)
    options = replace(options, sketch=None, colours=None)
    reason = metrics.lpips_unavailable_reason()
    if reason is not None:
        raise InpaintError(reason)
    names = quick_methods() if methods is None else [catalogue.require_ready(name).name for name in methods]
    if not names:
        raise InpaintError("No method was chosen; choose at least one.")
    small, small_hole = _reduced(pixels, hole)
    found = find(small, small_hole, count)
    lpips, l1, seconds = (np.full((len(found), len(names)), np.nan) for _ in range(3))
    tried = list(range(len(names)))
    for row, place in enumerate(found):
        window = _window(place.mask).slices
        photo, copy = small[window], place.mask[window]
        unknown = small_hole[window] | copy
        for order, column in enumerate(tried):
            if progress is not None:
                share = (row + order / len(tried)) / len(found)
                progress(share, f"{catalogue.get(names[column]).title} at place {row + 1} of {len(found)}")
            result = fill(photo, unknown, names[column], options)
            assert result.image is not None
            filled = np.where(copy[..., None], result.image, photo)  # the hole itself is not measured
            planes = [_tensor(each) for each in (filled, photo, copy[..., None] * np.uint8(255))]
            lpips[row, column] = metrics.lpips(*planes).item()
            l1[row, column] = metrics.l1(*planes).item()
            seconds[row, column] = result.seconds
        so_far = lpips[: row + 1].mean(axis=0)  # NaN where a method was dropped
        if row + 1 >= DROPPED_AFTER:
            tried = [column for column in tried if so_far[column] <= DROPPED * np.nanmin(so_far)]
    wins = np.bincount(np.nanargmin(lpips, axis=1), minlength=len(names))
    scores = [
        Score(
            method=name,
            lpips=float(np.nanmean(lpips[:, column])),
            l1=float(np.nanmean(l1[:, column])),
            wins=int(wins[column]),
            places=int(np.isfinite(lpips[:, column]).sum()),
            seconds=float(np.nanmean(seconds[:, column])),
        )
        for column, name in enumerate(names)
    ]
    height, width = hole.shape
    return Suggestion(
        scores=tuple(sorted(scores, key=lambda score: (-score.places, score.lpips))),
        places=tuple(masks.resize(place.mask, height, width) for place in found),
    )


def quick_methods() -> list[str]:
    """The methods that are tried where none are named: ready, quick, and shown nothing of what the hole hides."""
    return [method.name for method in catalogue.methods() if method.ready and method.compared_by_default]


def _tensor(pixels: np.ndarray) -> Tensor:
    """uint8 H x W x C as float 1 x C x H x W in [0, 1]."""
    import torch

    return torch.from_numpy(pixels.transpose(2, 0, 1)[None].astype(np.float32) / 255)


def _window(mask: np.ndarray) -> Box:
    """What a method gets to see of the photo: a copy of the hole in the middle of twice its size, or more.

    All copies of one hole get windows of one size, since a network is compiled for each size anew.
    """
    box = bounding_box(mask)
    edges = []
    for first, last, side in ((box.top, box.bottom, mask.shape[0]), (box.left, box.right, mask.shape[1])):
        extent = min(side, last - first + 2 * max(LEAST_CONTEXT, max(box.height, box.width) // 2))
        start = min(max(0, (first + last - extent) // 2), side - extent)
        edges.append((start, start + extent))
    (top, bottom), (left, right) = edges
    return Box(top, left, bottom, right)


def _reduced(image: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Photo and mask with the longer side at SIDE pixels, or as they are; what the hole hides is painted over."""
    height, width = mask.shape
    scale = min(1.0, SIDE / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    image = np.where(mask[..., None], np.uint8(128), image)  # or it would show in the pixels that become one
    small, hole = cv2.resize(image, size, interpolation=cv2.INTER_AREA), masks.resize(mask, size[1], size[0])
    # Without an edge, which would count as texture beside the hole.
    return cv2.inpaint(small, hole.astype(np.uint8), 3, cv2.INPAINT_TELEA), hole
