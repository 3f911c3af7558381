"""Evens out the steps of brightness and colour between copied patches, and between them and the photo around.

Patches from two places of a sky differ by a level or two, which shows as a line. The patches show what the
difference between two neighbours should be: the gradient-domain fusion of Agarwala et al., "Interactive digital
photomontage", SIGGRAPH 2004, section 3. Departures: only small steps are evened out, for a large one is a contour; and
corrections fade with the distance from the seam, so a wrong one stays where it is.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from inpaint_core.masks.boxes import bounding_box
from inpaint_core.methods.patchmatch.kernels import COLUMN, COSINE, MIRROR, ROW, SINE, compiled

LARGEST_STEP = 0.12  # a step of this size, of 1, is a contour and left alone; half of it and less counts in full
LARGEST_CORRECTION = 0.1
FADE = 40.0  # pixels over which a correction fades
MAX_CYCLES = 20  # of the solver
TOLERANCE = 1e-3  # the estimated error at which it stops: a quarter of a grey level
SMALLEST = 16  # unknowns a side of a grid that is not halved again
RELAXATIONS, AT_SMALLEST = 2, 30  # steps of successive over-relaxation on each grid


def even_out(image: np.ndarray, hole: np.ndarray, origins: np.ndarray) -> np.ndarray:
    """Correct the hole of a completed image so that its copied pieces meet without a step.

    Args:
        image: float32 H x W x 3 in [0, 1], every hole pixel a copy of a known place.
        hole: bool H x W.
        origins: float32 P x POSE, where each hole pixel was copied from (see `kernels`), row by row.

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
    image = np.ascontiguousarray(image)
    wanted_steps(image, hole, origins, number, (top, left), steps)
    right_side = np.zeros((*inside.shape, 3), np.float32)
    right_side -= steps[0]
    right_side[:, 1:] += steps[0][:, :-1]
    right_side -= steps[1]
    right_side[1:] += steps[1][:-1]
    grid = _grid(inside)
    correction = _conjugate_gradients(grid, np.where(inside[..., None], right_side, np.float32(0)))
    result = image.copy()
    corrected = image[window] + correction.clip(-LARGEST_CORRECTION, LARGEST_CORRECTION)
    result[window][inside] = corrected[inside].clip(0, 1)
    return result


@compiled
def wanted_steps(image, hole, origins, number, corner, steps):
    """How the corrections of neighbours should differ, so that they differ as in the places they were copied from.

    Args:
        image, hole, origins: as for `even_out`.
        number: int32 h x w, a window of the image: the row of each pixel in `origins`, -1 outside the hole.
        corner: row and column of the window's first pixel.
        steps: float32 2 x h x w x 3, zeros: the result, each pixel's right neighbour less itself, and its lower one.
    """
    height, width = hole.shape
    wanted = np.zeros(3, np.float32)
    for row in range(number.shape[0]):
        for column in range(number.shape[1]):
            for direction in range(2):
                down, right = direction, 1 - direction
                if row + down >= number.shape[0] or column + right >= number.shape[1]:
                    continue
                wanted[:] = 0
                opinions = 0
                for end in range(2):  # what this pixel's origin says of the next one, and the next one's of this one
                    its = number[row, column] if end == 0 else number[row + down, column + right]
                    if its < 0:
                        continue
                    sign = 1 - 2 * end
                    cosine, sine, mirror = origins[its, COSINE], origins[its, SINE], origins[its, MIRROR]
                    at_row = origins[its, ROW] + sign * (cosine * down + sine * mirror * right)
                    at_column = origins[its, COLUMN] + sign * (cosine * mirror * right - sine * down)
                    top, left = int(np.floor(at_row)), int(np.floor(at_column))
                    bottom, far = int(np.ceil(at_row)), int(np.ceil(at_column))
                    if top < 0 or left < 0 or bottom >= height or far >= width:
                        continue
                    if hole[top, left] or hole[top, far] or hole[bottom, left] or hole[bottom, far]:
                        continue
                    low, beside = at_row - top, at_column - left
                    y, x = corner[0] + row + (1 - end) * down, corner[1] + column + (1 - end) * right
                    for channel in range(3):
                        upper = (1 - beside) * image[top, left, channel] + beside * image[top, far, channel]
                        lower = (1 - beside) * image[bottom, left, channel] + beside * image[bottom, far, channel]
                        there = (1 - low) * upper + low * lower
                        wanted[channel] += sign * (there - image[y, x, channel])
                    opinions += 1
                if opinions:
                    size = max(abs(wanted[0]), abs(wanted[1]), abs(wanted[2])) / (opinions * LARGEST_STEP)
                    share = min(max(2 - 2 * size, 0), 1) / opinions
                    for channel in range(3):
                        steps[direction, row, column, channel] = wanted[channel] * share


class Grid(NamedTuple):
    """Unknowns on a grid: `diagonal` u - (sum of `across`, `down` times the neighbours' u) = right side."""

    diagonal: np.ndarray  # float32 h x w, 0 where nothing is unknown
    across: np.ndarray  # float32 h x w, the link to the right neighbour
    down: np.ndarray  # float32 h x w, the link to the lower neighbour


def _grid(inside: np.ndarray) -> Grid:
    """The unknowns of a hole: a link of 1 to each neighbour, known ones included, whose u is 0."""
    across, down = np.zeros((2, *inside.shape), np.float32)
    across[:, :-1] = inside[:, 1:] & inside[:, :-1]
    down[:-1] = inside[1:] & inside[:-1]
    neighbours = np.full(inside.shape, 4, np.float32)  # fewer at the border of the image, which is that of the window
    neighbours[[0, -1]] -= 1
    neighbours[:, [0, -1]] -= 1
    return Grid(np.where(inside, neighbours + np.float32(FADE**-2), np.float32(0)), across, down)


def _halved(grid: Grid) -> Grid:
    """The same with one unknown for each square of four: links as strong as the distance demands."""
    even_column, even_row = np.arange(grid.across.shape[1]) % 2 == 0, np.arange(grid.down.shape[0])[:, None] % 2 == 0
    across = _sums(np.where(even_column, np.float32(0), grid.across)) / 2
    down = _sums(np.where(even_row, np.float32(0), grid.down)) / 2
    links = np.zeros_like(grid.diagonal)
    links += grid.across + grid.down
    links[:, 1:] += grid.across[:, :-1]
    links[1:] += grid.down[:-1]
    fixed = _sums(np.maximum(grid.diagonal - links, 0)) / 2  # links to known pixels, and what makes corrections fade
    unknowns = _sums((grid.diagonal > 0).astype(np.float32))
    coarse = np.where(unknowns > 0, fixed, np.float32(0))
    coarse += across + down
    coarse[:, 1:] += across[:, :-1]
    coarse[1:] += down[:-1]
    return Grid(coarse, across, down)


def _sums(plane: np.ndarray) -> np.ndarray:
    """h x w (x C) -> the sums of its squares of four."""
    bottom, right = plane.shape[0] % 2, plane.shape[1] % 2
    plane = np.pad(plane, ((0, bottom), (0, right), *[(0, 0)] * (plane.ndim - 2)))
    return plane[::2, ::2] + plane[1::2, ::2] + plane[::2, 1::2] + plane[1::2, 1::2]


def _solve(grid: Grid, right_side: np.ndarray) -> np.ndarray:
    """About the solution: that of the halved grid, relaxed."""
    height, width = grid.diagonal.shape
    solution = np.zeros_like(right_side)
    small = min(height, width) <= SMALLEST
    if not small:
        coarse = _solve(_halved(grid), _sums(right_side))
        solution[:] = coarse.repeat(2, 0).repeat(2, 1)[:height, :width]
        solution *= (grid.diagonal > 0)[..., None]
    relax(grid, right_side, solution, AT_SMALLEST if small else RELAXATIONS, np.float32(1.8 if small else 1.2))
    return solution


@compiled
def relax(grid, right_side, solution, count, factor):
    """Successive over-relaxation of float32 h x w x 3 in place, to and fro."""
    height, width = grid.diagonal.shape
    for step in range(2 * count):
        for place in range(height * width):
            at = place if step % 2 == 0 else height * width - 1 - place
            row, column = at // width, at % width
            diagonal = grid.diagonal[row, column]
            if diagonal == 0:
                continue
            for channel in range(3):
                total = right_side[row, column, channel]
                if column:
                    total += grid.across[row, column - 1] * solution[row, column - 1, channel]
                if column < width - 1:
                    total += grid.across[row, column] * solution[row, column + 1, channel]
                if row:
                    total += grid.down[row - 1, column] * solution[row - 1, column, channel]
                if row < height - 1:
                    total += grid.down[row, column] * solution[row + 1, column, channel]
                now = solution[row, column, channel]
                solution[row, column, channel] = now + factor * (total / diagonal - now)


def _conjugate_gradients(grid: Grid, right_side: np.ndarray) -> np.ndarray:
    """The solution: flexible conjugate gradients (Notay 2000), each of the three channels a system of its own."""
    solution, residual = np.zeros_like(right_side), right_side
    direction = image = solution
    for _ in range(MAX_CYCLES):
        rough = _solve(grid, residual)
        if float(np.abs(rough).max()) < TOLERANCE:
            return solution + rough
        direction = rough - _dot(rough, image) / np.maximum(_dot(direction, image), 1e-20) * direction
        image = _apply(grid, direction)
        step = _dot(direction, residual) / np.maximum(_dot(direction, image), 1e-20)
        solution = solution + step * direction
        residual = residual - step * image
    return solution


def _dot(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The scalar products of the channels: h x w x 3, twice -> float32 3."""
    return np.einsum("hwc,hwc->c", one, other)


def _apply(grid: Grid, solution: np.ndarray) -> np.ndarray:
    """The left side of the equations: float32 h x w x 3."""
    left_side = grid.diagonal[..., None] * solution
    left_side[:, :-1] -= grid.across[:, :-1, None] * solution[:, 1:]
    left_side[:, 1:] -= grid.across[:, :-1, None] * solution[:, :-1]
    left_side[:-1] -= grid.down[:-1, :, None] * solution[1:]
    left_side[1:] -= grid.down[:-1, :, None] * solution[:-1]
    return left_side
