"""The mosaic: a hole that is not empty but shows the hidden pixels in coarse blocks, as censored pictures do."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from inpaint_core.errors import InpaintError
from inpaint_core.masks.boxes import bounding_box

FINEST, COARSEST = 4, 128  # sides of the blocks that `find_grid` looks for, in pixels
STEP, NOISE = 3, 2  # a line is seen where brightness changes by more than STEP of 255 and NOISE times the median change
SEEN, QUIET = 0.6, 0.7  # shares of the grid's lines that must be seen, and of the other lines that must not
FIT = 0.55  # the least harmonic mean of what a grid explains and how much of it is seen
MOST_LINES = 512  # rows and columns, evenly spread, that suffice to detect a grid


@dataclass(frozen=True)
class Grid:
    """Where the blocks of a mosaic are, in pixels."""

    block: int  # their side
    top: int = 0  # the first whole block's row, under `block`
    left: int = 0  # and its column


def mosaic(image: Tensor, mask: Tensor, block: int = 16, top: int = 0, left: int = 0) -> Tensor:
    """Pixelate an image inside its hole: the input of DeepFill v1 trained to restore instead of to invent.

    >>> censored = mosaic(image, mask, block=16)

    Args:
        image: float, N x C x H x W.
        mask: float, N x 1 x H x W, 1 = hole, 0 = known.
        block: side of the blocks in pixels; those at the image's borders may be smaller.
        top, left: a corner of one of them; by default they start at the image's.

    Returns:
        As `image`: the mean of each block inside the hole, the image itself elsewhere.

    Raises:
        InpaintError: for a block under one pixel or a mask of another size.
    """
    if block < 1:
        raise InpaintError(f"A mosaic needs blocks of at least one pixel, not {block}.")
    if image.shape[-2:] != mask.shape[-2:]:
        raise InpaintError(
            f"The mask is {tuple(mask.shape[-2:])} but the image {tuple(image.shape[-2:])}; give them one size."
        )
    height, width = image.shape[-2:]
    above, before = -(-top // block) * block - top, -(-left // block) * block - left
    sides = (before, -(before + width) % block, above, -(above + height) % block)
    weight = F.avg_pool2d(F.pad(torch.ones_like(image[:1, :1]), sides), block)
    means = F.avg_pool2d(F.pad(image, sides), block) / weight
    coarse = means.repeat_interleave(block, dim=-2).repeat_interleave(block, dim=-1)
    coarse = coarse[..., above : above + height, before : before + width]
    return image.where(mask < 0.5, coarse)


def find_grid(image: np.ndarray, mask: np.ndarray) -> Grid | None:
    """The grid of a mosaic that a photo already carries in its hole; None where there is no such mosaic.

    Inside a mosaic nothing changes but on the lines of its grid. Medians over rows and columns tolerate a hole that
    reaches a little beyond the mosaic, and the noise of a JPEG file.

    Args:
        image: uint8 H x W x 3.
        mask: bool H x W, True = hole.
    """
    if not mask.any():
        return None
    box = bounding_box(mask)
    image, mask = image[box.slices], mask[box.slices]
    found = []
    for picture, hole, first in ((image, mask, box.left), (image.swapaxes(0, 1), mask.T, box.top)):
        rows = np.flatnonzero(hole.any(axis=1))
        rows = rows[:: max(1, len(rows) // MOST_LINES)]
        part, inside = picture[rows].astype(np.int16), hole[rows]
        steps = np.abs(np.diff(part, axis=1)).max(axis=2).astype(np.float32)
        steps[~(inside[:, 1:] & inside[:, :-1])] = np.nan
        seen = np.flatnonzero(~np.isnan(steps).all(axis=0))
        if not len(seen):
            return None
        size = np.nanmedian(steps[:, seen], axis=0)
        found.append((seen + first + 1, size > STEP + NOISE * np.median(size)))
    best, score = None, 0.0
    for block in range(FINEST, 1 + min(COARSEST, *(len(place) // 2 for place, _ in found))):
        (across, left), (down, top) = (_fit(place, line, block) for place, line in found)
        if min(across, down) > 0 and across + down > score:
            best, score = Grid(block, top, left), across + down
    return best


def _fit(place: np.ndarray, line: np.ndarray, block: int) -> tuple[float, int]:
    """How well lines fit a grid of this spacing, and where that grid starts.

    Args:
        place: int (n,), columns (or rows) of a photo.
        line: bool (n,), whether there is a line before them.

    Returns:
        The harmonic mean of the shares of the grid's places that are lines and of the lines that are on the grid; 0
        for what is no mosaic. And the first place of the grid.
    """
    on = np.bincount(place % block, line, minlength=block)
    phase = int(on.argmax())
    grid = place % block == phase
    if on[phase] < 2 or line[grid].mean() < SEEN or line[~grid].mean() > 1 - QUIET:
        return 0.0, phase
    fit = 2 * float(on[phase]) / float(grid.sum() + line.sum())
    return (fit if fit >= FIT else 0.0), phase
