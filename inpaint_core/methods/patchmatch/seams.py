"""Evens out the steps of brightness and colour between copied patches, and between them and the photo around.

Patches from two places of a sky differ by a level or two, which shows as a line. The patches show what the
difference between two neighbours should be: the gradient-domain fusion of Agarwala et al., "Interactive digital
photomontage", SIGGRAPH 2004, section 3. Departures: a step counts as far as the means around the pixels have it,
too, for differences of noise and of stray pixels would add up to clouds of colour; only small steps are evened out,
for a large one is a contour; and corrections fade with the distance from the seam, so a wrong one stays where it is.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from inpaint_core.masks.boxes import bounding_box
from inpaint_core.methods.patchmatch.diffusion import grid_of, solve
from inpaint_core.methods.patchmatch.kernels import COLUMN, COSINE, MIRROR, ROW, SINE, compiled

LARGEST_STEP = 0.12  # a step of this size, of 1, is a contour and left alone; half of it and less counts in full
LARGEST_CORRECTION = 0.1
SMOOTH = 5  # pixels, odd
FADE = 40.0  # pixels over which a correction fades


def even_out(
    image: np.ndarray,
    hole: np.ndarray,
    origins: np.ndarray,
    progress: Callable[[float], None] = lambda share: None,
) -> np.ndarray:
    """Correct the hole of a completed image so that its copied pieces meet without a step.

    Args:
        image: float32 H x W x 3 in [0, 1], every hole pixel a copy of a known place.
        hole: bool H x W.
        origins: float32 P x POSE, where each hole pixel was copied from (see `kernels`), row by row.
        progress: called with the share done in [0, 1]; what it raises ends the work.

    Returns:
        float32 H x W x 3 in [0, 1], equal to `image` outside the hole, within `LARGEST_CORRECTION` of it inside.
    """
    height, width = hole.shape
    box = bounding_box(hole)
    top, left = max(box.top - 1, 0), max(box.left - 1, 0)
    window = (slice(top, min(box.bottom + 1, height)), slice(left, min(box.right + 1, width)))
    inside = hole[window]
    number = np.full(inside.shape, -1, np.int32)
    number[inside] = np.arange(len(origins))
    steps = np.zeros((2, *inside.shape, 3), np.float32)
    smooth = smoothed(image, hole)
    at_row, at_column = (axis.astype(np.float32) for axis in np.mgrid[window])
    at_row[inside], at_column[inside] = origins[:, ROW], origins[:, COLUMN]
    placed = cv2.remap(smooth, at_column, at_row, cv2.INTER_LINEAR)
    means = np.zeros_like(steps)
    copied_steps(np.ascontiguousarray(image), np.ascontiguousarray(image[window]), hole, origins, number, steps)
    copied_steps(smooth, placed, hole, origins, number, means)
    limit(steps, means)
    right_side = np.zeros((*inside.shape, 3), np.float32)
    right_side -= steps[0]
    right_side[:, 1:] += steps[0][:, :-1]
    right_side -= steps[1]
    right_side[1:] += steps[1][:-1]
    correction = solve(grid_of(inside, FADE**-2), np.where(inside[..., None], right_side, np.float32(0)), progress)
    result = image.copy()
    corrected = image[window] + correction.clip(-LARGEST_CORRECTION, LARGEST_CORRECTION)
    result[window][inside] = corrected[inside].clip(0, 1)
    return result


def smoothed(image: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """The mean of the known pixels in the square of `SMOOTH` pixels around each: float32 H x W x 3."""
    known = (~hole).astype(np.float32)
    total, count = (
        cv2.boxFilter(plane, -1, (SMOOTH, SMOOTH), normalize=False, borderType=cv2.BORDER_REFLECT_101)
        for plane in (image * known[..., None], known)
    )
    return np.ascontiguousarray(total / np.maximum(count, 1)[..., None])


@compiled
def copied_steps(image, placed, hole, origins, number, steps):
    """How the corrections of neighbours should differ, so that they differ as in the places they were copied from.

    Args:
        image: float32 H x W x 3, of which the known pixels are read.
        placed: float32 h x w x 3, a window of it, each hole pixel as it is at its origin.
        hole, origins: as for `even_out`.
        number: int32 h x w, of the window: the row of each pixel in `origins`, -1 outside the hole.
        steps: float32 2 x h x w x 3, zeros: the result, each pixel's right neighbour less itself, and its lower one.
    """
    height, width = hole.shape
    total = np.zeros(3, np.float32)
    for row in range(number.shape[0]):
        for column in range(number.shape[1]):
            for direction in range(2):
                down, right = direction, 1 - direction
                if row + down >= number.shape[0] or column + right >= number.shape[1]:
                    continue
                total[:] = 0
                samples = 0
                for end in range(2):  # what this pixel's origin says of the next one, and the next one's of this one
                    origin = number[row, column] if end == 0 else number[row + down, column + right]
                    if origin < 0:
                        continue
                    sign = 1 - 2 * end
                    cosine, sine, mirror = origins[origin, COSINE], origins[origin, SINE], origins[origin, MIRROR]
                    at_row = origins[origin, ROW] + sign * (cosine * down + sine * mirror * right)
                    at_column = origins[origin, COLUMN] + sign * (cosine * mirror * right - sine * down)
                    top, left = int(np.floor(at_row)), int(np.floor(at_column))
                    bottom, far = int(np.ceil(at_row)), int(np.ceil(at_column))
                    if top < 0 or left < 0 or bottom >= height or far >= width:
                        continue
                    if hole[top, left] or hole[top, far] or hole[bottom, left] or hole[bottom, far]:
                        continue
                    low, beside = at_row - top, at_column - left
                    y, x = row + (1 - end) * down, column + (1 - end) * right
                    for channel in range(3):
                        upper = (1 - beside) * image[top, left, channel] + beside * image[top, far, channel]
                        lower = (1 - beside) * image[bottom, left, channel] + beside * image[bottom, far, channel]
                        there = (1 - low) * upper + low * lower
                        total[channel] += sign * (there - placed[y, x, channel])
                    samples += 1
                if samples:
                    for channel in range(3):
                        steps[direction, row, column, channel] = total[channel] / samples


def limit(steps: np.ndarray, means: np.ndarray) -> None:
    """Limit steps, float32 2 x h x w x 3, to those of the means; none where signs differ or one is a contour."""
    steps *= (2 - 2 / LARGEST_STEP * np.abs(steps).max(axis=3, keepdims=True)).clip(0, 1)
    agreed = np.copysign(np.minimum(np.abs(steps), np.abs(means)), steps)
    np.multiply(agreed, steps * means > 0, out=steps)
