"""Linear diffusion on a hole of any shape: conjugate gradients, with a multigrid cycle before each step."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import cv2
import numpy as np

from inpaint_core.methods.patchmatch.kernels import CHANNELS, compiled, inlined
from inpaint_core.methods.ranges import run

MAX_CYCLES = 20
TOLERANCE = 2e-3  # the estimated error at which the solver stops: half a grey level
SMALLEST = 8  # unknowns a side of a grid that is not halved again
AT_SMALLEST = 20  # relaxations there
LEAK = 0.005  # what a link through a barrier counts
ROWS = 64  # that a thread takes at a time


class Grid(NamedTuple):
    """Unknowns on a grid: `diagonal` u - (sum of `across`, `down` times the neighbours' u) = right side.

    All are float32 (h + 2) x (w + 2), with a rim of one pixel in which nothing is unknown.
    """

    diagonal: np.ndarray  # 0 where nothing is unknown
    across: np.ndarray  # the link to the right neighbour
    down: np.ndarray  # the link to the lower neighbour
    fade: np.ndarray  # the part of the diagonal that makes solutions fall off
    inverse: np.ndarray  # 1 / diagonal, or 0


def grid_of(inside: np.ndarray, fade: float = 0.0, barrier: np.ndarray | None = None) -> Grid:
    """The unknowns of a hole, bool h x w: a link of 1 to each neighbour, known ones included.

    Args:
        inside: bool h x w; the border of the array is that of the image unless what lies there is known.
        fade: added to the diagonal: solutions fall off within fade ** -0.5 pixels.
        barrier: bool h x w, pixels whose links count `LEAK` only; None: none.
    """
    across, down = np.zeros((2, *inside.shape), np.float32)
    across[:, :-1] = 1
    down[:-1] = 1
    if barrier is not None:
        across[:, :-1][barrier[:, 1:] | barrier[:, :-1]] = LEAK
        down[:-1][barrier[1:] | barrier[:-1]] = LEAK
    links = across + down
    links[:, 1:] += across[:, :-1]
    links[1:] += down[:-1]
    across[:, :-1] *= inside[:, 1:] & inside[:, :-1]
    down[:-1] *= inside[1:] & inside[:-1]
    fades = np.where(inside, np.float32(fade), np.float32(0))
    return _grid(np.where(inside, links, np.float32(0)) + fades, across, down, fades)


def membrane(image: np.ndarray, hole: np.ndarray, barrier: np.ndarray) -> np.ndarray:
    """Fill the hole with a membrane that lines hold apart, as in diffusion curves (Orzan et al., SIGGRAPH 2008).

    Args:
        image: float32 H x W x C, at most `CHANNELS`.
        hole: bool H x W, with a known pixel beside it.
        barrier: bool H x W, the lines.

    Returns:
        float32 H x W x C.
    """
    grid = grid_of(hole, barrier=barrier)
    everywhere = grid_of(np.ones_like(hole), barrier=barrier)
    link_across, link_down = everywhere.across[1:-1, 1:-1], everywhere.down[1:-1, 1:-1]
    known = np.where(hole[..., None], np.float32(0), image)
    right_side = np.zeros_like(known)
    right_side[:, :-1] += link_across[:, :-1, None] * known[:, 1:]
    right_side[:, 1:] += link_across[:, :-1, None] * known[:, :-1]
    right_side[:-1] += link_down[:-1, :, None] * known[1:]
    right_side[1:] += link_down[:-1, :, None] * known[:-1]
    solved = solve(grid, np.where(hole[..., None], right_side, np.float32(0)))
    return np.where(hole[..., None], solved.clip(0, 1), image)


def solve(grid: Grid, right_side: np.ndarray, progress: Callable[[float], None] = lambda share: None) -> np.ndarray:
    """The solution: flexible conjugate gradients (Notay 2000), each channel a system of its own.

    Args:
        grid: the left side.
        right_side: float32 h x w x C, 0 where nothing is unknown; at most `CHANNELS`.
        progress: called after each step with about the share done, by how far the error has fallen.

    Returns:
        float32 h x w x C.
    """
    height, width = right_side.shape[:2]
    residual = np.zeros((height + 2, width + 2, CHANNELS), np.float32)
    residual[1:-1, 1:-1, : right_side.shape[2]] = right_side
    grids = [grid]
    while min(grids[-1].diagonal.shape) - 2 > SMALLEST:
        grids.append(_halved(grids[-1]))
    solution, direction, image = (np.zeros_like(residual) for _ in range(3))
    first = 0.0
    for _ in range(MAX_CYCLES):
        rough = _cycle(grids, residual)
        error = float(np.abs(rough).max())
        first = first or error
        if error < TOLERANCE:
            solution += rough
            break
        turn = -dot(rough, image) / np.maximum(dot(direction, image), 1e-20)
        advance(rough, direction, turn.astype(np.float32), direction)
        run(apply, height, grid, direction, image, size=ROWS)
        step = (dot(direction, residual) / np.maximum(dot(direction, image), 1e-20)).astype(np.float32)
        advance(solution, direction, step, solution)
        advance(residual, image, -step, residual)
        progress(min(1.0, math.log(first / error) / math.log(first / TOLERANCE)) if error < first else 0.0)
    return solution[1:-1, 1:-1, : right_side.shape[2]]


def _grid(diagonal: np.ndarray, across: np.ndarray, down: np.ndarray, fade: np.ndarray) -> Grid:
    """A grid of h x w planes: with its rim."""
    diagonal, across, down, fade = (np.pad(plane, 1) for plane in (diagonal, across, down, fade))
    inverse = np.divide(1, diagonal, out=np.zeros_like(diagonal), where=diagonal > 0)
    return Grid(diagonal, across, down, fade, inverse)


def _halved(grid: Grid) -> Grid:
    """The same with one unknown for each square of four: links as strong as the distance demands."""
    links = grid.across + grid.down
    links[:, 1:] += grid.across[:, :-1]
    links[1:] += grid.down[:-1]
    to_known = _sums((np.maximum(grid.diagonal - links - grid.fade, 0))[1:-1, 1:-1]) / 2
    fade = _sums(grid.fade[1:-1, 1:-1])
    across, down = _even(grid.across[1:-1, 1:-1]), _even(grid.down[1:-1, 1:-1])
    across = (across[::2, 1::2] + across[1::2, 1::2]) / 2
    down = (down[1::2, ::2] + down[1::2, 1::2]) / 2
    diagonal = to_known + fade + across + down
    diagonal[:, 1:] += across[:, :-1]
    diagonal[1:] += down[:-1]
    return _grid(diagonal, across, down, fade)


def _even(plane: np.ndarray) -> np.ndarray:
    """h x w (x C) with zeros below and to the right where a side is odd."""
    bottom, right = plane.shape[0] % 2, plane.shape[1] % 2
    return cv2.copyMakeBorder(plane, 0, bottom, 0, right, cv2.BORDER_CONSTANT, value=0) if bottom or right else plane


def _sums(plane: np.ndarray) -> np.ndarray:
    """h x w (x C) -> the sums of its squares of four."""
    plane = _even(plane)
    return 4 * cv2.resize(plane, (plane.shape[1] // 2, plane.shape[0] // 2), interpolation=cv2.INTER_AREA)


def _cycle(grids: list[Grid], right_side: np.ndarray) -> np.ndarray:
    """About the solution on the first grid: relaxed, corrected by that of the next one, and relaxed once more."""
    grid, solution = grids[0], np.zeros_like(right_side)
    height, width = grid.diagonal.shape[0] - 2, grid.diagonal.shape[1] - 2
    if len(grids) == 1:
        for sweep in range(2 * AT_SMALLEST):
            relax(0, height, grid, right_side, solution, sweep % 2)
        return solution
    for colour in (0, 1):
        run(relax, height, grid, right_side, solution, colour, size=ROWS)
    left = np.zeros_like(right_side)
    run(residual_of, height, grid, right_side, solution, left, size=ROWS)
    coarse = _cycle(grids[1:], np.pad(_sums(left[1:-1, 1:-1]), ((1, 1), (1, 1), (0, 0))))[1:-1, 1:-1]
    size = (2 * coarse.shape[1], 2 * coarse.shape[0])
    left[1:-1, 1:-1] = cv2.resize(coarse, size, interpolation=cv2.INTER_LINEAR)[:height, :width]
    run(add_inside, height, grid, left, solution, size=ROWS)
    for colour in (1, 0):
        run(relax, height, grid, right_side, solution, colour, size=ROWS)
    return solution


@compiled
def relax(first, last, grid, right_side, solution, colour):
    """Gauss-Seidel of every second unknown, as on a chessboard, in rows [first, last), in place."""
    width = grid.diagonal.shape[1] - 2
    for row in range(first + 1, last + 1):
        for column in range(1 + (row + colour) % 2, width + 1, 2):
            inverse = grid.inverse[row, column]
            if inverse == 0:
                continue
            before, behind = grid.across[row, column - 1], grid.across[row, column]
            above, below = grid.down[row - 1, column], grid.down[row, column]
            for channel in range(CHANNELS):
                total = right_side[row, column, channel]
                total += before * solution[row, column - 1, channel] + behind * solution[row, column + 1, channel]
                total += above * solution[row - 1, column, channel] + below * solution[row + 1, column, channel]
                solution[row, column, channel] = total * inverse


@inlined
def apply(first, last, grid, solution, image):
    """The left side of the equations in rows [first, last), into `image`."""
    width = grid.diagonal.shape[1] - 2
    for row in range(first + 1, last + 1):
        for column in range(1, width + 1):
            diagonal = grid.diagonal[row, column]
            before, behind = grid.across[row, column - 1], grid.across[row, column]
            above, below = grid.down[row - 1, column], grid.down[row, column]
            for channel in range(CHANNELS):
                total = diagonal * solution[row, column, channel]
                total -= before * solution[row, column - 1, channel] + behind * solution[row, column + 1, channel]
                total -= above * solution[row - 1, column, channel] + below * solution[row + 1, column, channel]
                image[row, column, channel] = total


@compiled
def residual_of(first, last, grid, right_side, solution, residual):
    """What is left of the right side in rows [first, last), into `residual`; 0 where nothing is unknown."""
    apply(first, last, grid, solution, residual)
    for row in range(first + 1, last + 1):
        for column in range(1, grid.diagonal.shape[1] - 1):
            for channel in range(CHANNELS):
                residual[row, column, channel] = right_side[row, column, channel] - residual[row, column, channel]


@compiled
def add_inside(first, last, grid, correction, solution):
    """Correct the unknowns in rows [first, last), in place."""
    for row in range(first + 1, last + 1):
        for column in range(1, grid.diagonal.shape[1] - 1):
            if grid.inverse[row, column] > 0:
                for channel in range(CHANNELS):
                    solution[row, column, channel] += correction[row, column, channel]


@compiled
def dot(one, other):
    """The scalar products of the channels, float64 (CHANNELS,)."""
    total = np.zeros(CHANNELS)
    part = np.zeros(CHANNELS, np.float32)
    for row in range(one.shape[0]):
        part[:] = 0
        for column in range(one.shape[1]):
            for channel in range(CHANNELS):
                part[channel] += one[row, column, channel] * other[row, column, channel]
        total += part
    return total


@compiled
def advance(start, direction, step, result):
    """`start` + `step` times `direction`, a step for each channel, into `result`, which may be one of them."""
    for row in range(start.shape[0]):
        for column in range(start.shape[1]):
            for channel in range(CHANNELS):
                result[row, column, channel] = (
                    start[row, column, channel] + step[channel] * direction[row, column, channel]
                )
