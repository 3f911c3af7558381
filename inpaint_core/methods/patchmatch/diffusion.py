"""Linear diffusion on a hole of any shape: conjugate gradients, with a cycle over halved grids before each step."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from inpaint_core.methods.patchmatch.kernels import compiled

MAX_CYCLES = 20
TOLERANCE = 2e-3  # the estimated error at which the solver stops: half a grey level
SMALLEST = 16  # unknowns a side of a grid that is not halved again
RELAXATIONS, AT_SMALLEST = 2, 30  # steps of successive over-relaxation on each grid
LEAK = 0.005  # what a link through a barrier counts


class Grid(NamedTuple):
    """Unknowns on a grid: `diagonal` u - (sum of `across`, `down` times the neighbours' u) = right side."""

    diagonal: np.ndarray  # float32 h x w, 0 where nothing is unknown
    across: np.ndarray  # float32 h x w, the link to the right neighbour
    down: np.ndarray  # float32 h x w, the link to the lower neighbour


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
    return Grid(np.where(inside, links + np.float32(fade), np.float32(0)), across, down)


def membrane(image: np.ndarray, hole: np.ndarray, barrier: np.ndarray) -> np.ndarray:
    """Fill the hole with a membrane that lines hold apart, as in diffusion curves (Orzan et al., SIGGRAPH 2008).

    Args:
        image: float32 H x W x 3.
        hole: bool H x W, with a known pixel beside it.
        barrier: bool H x W, the lines.

    Returns:
        float32 H x W x 3.
    """
    grid = grid_of(hole, barrier=barrier)
    link_across, link_down = grid_of(np.ones_like(hole), barrier=barrier)[1:]
    known = np.where(hole[..., None], np.float32(0), image)
    right_side = np.zeros_like(known)
    right_side[:, :-1] += link_across[:, :-1, None] * known[:, 1:]
    right_side[:, 1:] += link_across[:, :-1, None] * known[:, :-1]
    right_side[:-1] += link_down[:-1, :, None] * known[1:]
    right_side[1:] += link_down[:-1, :, None] * known[:-1]
    solved = solve(grid, np.where(hole[..., None], right_side, np.float32(0)))
    return np.where(hole[..., None], solved.clip(0, 1), image)


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


def _cycle(grid: Grid, right_side: np.ndarray) -> np.ndarray:
    """About the solution: that of the halved grid, relaxed."""
    height, width = grid.diagonal.shape
    solution = np.zeros_like(right_side)
    small = min(height, width) <= SMALLEST
    if not small:
        coarse = _cycle(_halved(grid), _sums(right_side))
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


def solve(grid: Grid, right_side: np.ndarray) -> np.ndarray:
    """The solution: flexible conjugate gradients (Notay 2000), each of the three channels a system of its own."""
    solution, residual = np.zeros_like(right_side), right_side
    direction = image = solution
    for _ in range(MAX_CYCLES):
        rough = _cycle(grid, residual)
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
