"""At which scales a crop is filled: at once where the hole fits, otherwise in steps from small to large.

A network continues structure over no more pixels than its training showed it, and a wide hole with its surroundings may
be more than it can take at the photo's size. So such a hole is filled as small as it must be first, and then at up to
twice the size, again and again: of each step but the first only the fine detail counts, its low frequencies are those
of the step before.

This is the pyramid of Kulshreshtha, Pugh, Jiddi (Feature refinement to improve high resolution image inpainting, 2022,
section 3) with a cheaper link from level to level: they optimise the features of the larger fill by 15 steps of
gradient descent until it looks like the smaller one, which the fast engines cannot do and which took 28 times as long.
Measured with small LaMas trained at 128 px on 8 photos, holes of 192 and 256 px, against the half-size fill enlarged:
LPIPS 0.155 for 0.181 and 0.293 for 0.321, at the same L1; on 6 photos whose crops had to be shrunk, 0.120 for 0.128 and
L1 0.131 for 0.133. On a hole of 307 px, against one pass at full size: L1 0.227 for 0.249, LPIPS 0.281 for 0.286 (by
optimised features 0.230 and 0.271).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from inpaint_core.masks.boxes import Box, bounding_box
from inpaint_core.predictor.crops import depth

if TYPE_CHECKING:
    from inpaint_core.methods.base import FillMethod

WORTH = 1.25  # times as large as the first must the last step be, or one pass will do
LEAST_FRAME = 64  # pixels around the hole in a step that is too large for the whole crop ...
FRAME = 0.5  # ... or this share of the hole's depth
BLUR = 8.0  # pixels, standard deviation: what is wider than that comes from the step before


@dataclass(frozen=True)
class Step:
    """One pass of the method over a crop, or a part of it."""

    box: Box  # within the crop
    scale: float

    @property
    def pixels(self) -> int:
        """Of the tensor that the method gets, before padding."""
        return round(self.box.height * self.scale) * round(self.box.width * self.scale)


def plan_steps(mask: np.ndarray, method: FillMethod, max_pixels: int | None, cell: int = 1) -> list[Step]:
    """How a method fills a crop: one step over all of it, or several, each larger than the one before.

    Args:
        mask: bool H x W, True = hole, not empty.
        method: what takes the steps.
        max_pixels: the most it can take at once; None: any number.
        cell: side in pixels of what one place of the mask stands for; boxes are in places.
    """
    whole = Box(0, 0, *mask.shape)
    scale = _scale(mask, method, max_pixels, cell)
    if method.coherent_depth is None or method.fixed_size:
        return [Step(whole, scale)]
    deepest = cell * min(depth(mask), max(mask.shape))  # a mask without a known place has no end of depth
    first = min(scale, method.coherent_depth / deepest)
    frame = math.ceil(max(LEAST_FRAME, FRAME * deepest) / cell)
    near = bounding_box(mask).grown(frame, whole)
    last = scale if max_pixels is None else min(1.0, math.sqrt(max_pixels / (near.area * cell**2)))
    if last < WORTH * first:
        return [Step(whole, scale)]
    count = math.ceil(round(math.log2(last / first), 6))
    scales = [first * (last / first) ** (index / count) for index in range(count)] + [last]
    return [Step(whole if each <= scale else near, each) for each in scales]


def with_structure_of(coarser: np.ndarray, finer: np.ndarray, hole: np.ndarray, scale: float) -> np.ndarray:
    """The detail of one fill on the structure of another.

    Args:
        coarser: uint8 H x W x 3, the fill whose low frequencies are kept.
        finer: the same, the fill whose high ones are.
        hole: bool H x W.
        scale: at which the finer one was made: `BLUR` is in its pixels.
    """
    height, width = hole.shape
    difference: np.ndarray = np.where(hole[..., None], coarser.astype(np.int16) - finer, 0).astype(np.int16)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    if size != (width, height):
        difference = cv2.resize(difference, size, interpolation=cv2.INTER_AREA)
    low = cv2.GaussianBlur(difference.astype(np.float32), (0, 0), BLUR, borderType=cv2.BORDER_REFLECT)
    if size != (width, height):
        low = cv2.resize(low, (width, height), interpolation=cv2.INTER_LINEAR)
    low += finer
    return np.rint(low.clip(0, 255)).astype(np.uint8)


def _scale(mask: np.ndarray, method: FillMethod, max_pixels: int | None, cell: int) -> float:
    """The largest scale at which a method takes a crop with this hole whole."""
    height, width = mask.shape
    if method.fixed_size and method.native_size:
        return method.native_size / (cell * max(height, width))
    scale = min(1.0, math.sqrt(max_pixels / (height * width * cell**2))) if max_pixels else 1.0
    if method.max_depth is not None:
        scale = min(scale, method.max_depth / (cell * depth(mask)))
    return scale
