"""The discrete Poisson equation on a hole of any shape: conjugate gradients, preconditioned by one multigrid cycle.

The unknowns are the hole's pixels; known pixels beside them are fixed values (Dirichlet), and at the photo's border the
slope is zero (Neumann). Work grows with the number of pixels of the rectangle, memory too: some 60 bytes a pixel.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

TOLERANCE = 5e-5  # the estimated error of a value at which the work ends; values are about 1
MAX_ITERATIONS = 100  # of conjugate gradients: a dozen are usual
SWEEPS = 2  # of Jacobi's method before and after each coarser level
DAMPING = 0.8  # of them
COARSEST = 12  # sides up to this are solved directly


CROSS = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]], np.float32)


@dataclass
class Level:
    """One grid: a graph of cells, `across` and `down` the weights of the edges to the right and below."""

    diagonal: np.ndarray  # float32 H x W: sum of a cell's edges, those to fixed values included; 0: not an unknown
    across: np.ndarray  # float32 H x (W - 1)
    down: np.ndarray  # float32 (H - 1) x W
    finest: bool = False  # all edges weigh 1

    def __post_init__(self) -> None:
        self.unknown = (self.diagonal > 0).astype(np.float32)
        self.step = DAMPING * self.unknown / np.maximum(self.diagonal, 1e-6)

    def apply(self, x: np.ndarray) -> np.ndarray:
        """The negative Laplacian of H x W values, zero wherever there is no unknown."""
        result = self.diagonal * x
        if self.finest:  # the same by a filter, which is several times faster
            around = np.asarray(cv2.filter2D(x, -1, CROSS, borderType=cv2.BORDER_CONSTANT), x.dtype)
            np.multiply(around, self.unknown, out=around)
            result -= around
            return result
        result[:, 1:] -= self.across * x[:, :-1]
        result[:, :-1] -= self.across * x[:, 1:]
        result[1:] -= self.down * x[:-1]
        result[:-1] -= self.down * x[1:]
        return result

    def smooth(self, x: np.ndarray, residual: np.ndarray) -> None:
        """Sweeps of Jacobi's method, in place."""
        for _ in range(SWEEPS):
            change = self.apply(x)
            np.subtract(residual, change, out=change)
            change *= self.step
            x += change

    def coarser(self) -> Level:
        """Cells of 2 x 2: edges of the finer grid added up, halved because the cells' centres are twice as far away."""
        height, width = self.diagonal.shape
        rows, columns = -(-height // 2), -(-width // 2)
        fixed = self.diagonal.copy()  # what is left of a cell's weights once its edges to unknowns are taken off
        fixed[:, 1:] -= self.across
        fixed[:, :-1] -= self.across
        fixed[1:] -= self.down
        fixed[:-1] -= self.down
        even = np.zeros((2 * rows, 2 * columns), np.float32)
        even[:height, :width] = fixed / (1 + fixed / 2)  # the cell's centre is half a finer cell further away
        diagonal = even.reshape(rows, 2, columns, 2).sum(axis=(1, 3))
        even[:] = 0
        even[:height, : width - 1] = self.across
        across = (even[0::2, 1::2] + even[1::2, 1::2])[:, : columns - 1] / 2
        even[:] = 0
        even[: height - 1, :width] = self.down
        down = (even[1::2, 0::2] + even[1::2, 1::2])[: rows - 1] / 2
        diagonal[:, 1:] += across
        diagonal[:, :-1] += across
        diagonal[1:] += down
        diagonal[:-1] += down
        diagonal[diagonal < 1e-6] = 0
        return Level(diagonal, across, down)


class Multigrid:
    """The grids of one hole, and a cycle over them that solves the equation roughly.

    Args:
        hole: bool H x W, True = unknown; each connected part of it must have a known neighbour.
    """

    def __init__(self, hole: np.ndarray) -> None:
        unknown = hole.astype(np.float32)
        neighbours = np.full(hole.shape, 4, np.float32)
        for side in (np.s_[0], np.s_[-1], np.s_[:, 0], np.s_[:, -1]):
            neighbours[side] -= 1
        fine = Level(neighbours * unknown, unknown[:, 1:] * unknown[:, :-1], unknown[1:] * unknown[:-1], finest=True)
        self.levels = [fine]
        while max(self.levels[-1].diagonal.shape) > COARSEST:
            self.levels.append(self.levels[-1].coarser())
        last = self.levels[-1]
        cells = last.diagonal.size
        basis = np.eye(cells, dtype=np.float64).reshape(cells, *last.diagonal.shape)
        matrix = np.stack([last.apply(one).ravel() for one in basis])
        matrix[np.diag_indices(cells)] += (last.diagonal == 0).ravel()
        self.direct = np.linalg.inv(matrix).astype(np.float32)

    def cycle(self, residual: np.ndarray, number: int = 0) -> np.ndarray:
        """About the solution x of A x = residual on one level, float32 H x W: a symmetric V-cycle."""
        level = self.levels[number]
        if number == len(self.levels) - 1:
            return (self.direct @ residual.ravel()).reshape(residual.shape) * level.unknown
        x = np.zeros_like(residual)
        level.smooth(x, residual)
        coarse = self.cycle(restrict(residual - level.apply(x)) * self.levels[number + 1].unknown, number + 1)
        x += prolong(coarse, *residual.shape) * level.unknown
        level.smooth(x, residual)
        return x


def prolong(coarse: np.ndarray, height: int, width: int) -> np.ndarray:
    """Twice the resolution by bilinear interpolation, cut to height x width."""
    rows, columns = coarse.shape
    return cv2.resize(coarse, (2 * columns, 2 * rows), interpolation=cv2.INTER_LINEAR)[:height, :width]


def restrict(fine: np.ndarray) -> np.ndarray:
    """The transpose of `prolong`, as conjugate gradients demand: half the resolution."""
    for axis in (0, 1):
        if fine.shape[axis] % 2:
            fine = np.concatenate((fine, np.zeros_like(fine.take([0], axis))), axis)
        lines = fine if axis == 0 else fine.T
        first, second = lines[0::2], lines[1::2]
        half = 0.75 * (first + second)
        half[1:] += 0.25 * second[:-1]
        half[:-1] += 0.25 * first[1:]
        half[0] += 0.25 * first[0]  # beyond the border the interpolation repeats the border's cell
        half[-1] += 0.25 * second[-1]
        fine = half if axis == 0 else half.T
    return np.ascontiguousarray(fine)


def solve(grids: Multigrid, right: np.ndarray, start: np.ndarray, tolerance: float = TOLERANCE) -> np.ndarray:
    """The solution of A x = right.

    Args:
        grids: of the hole.
        right: float64 H x W, the right-hand side, zero outside the hole.
        start: float H x W, a guess, zero outside the hole.
        tolerance: the estimated largest error at which the work ends.

    Returns:
        float64 H x W, zero outside the hole.
    """
    fine = grids.levels[0]
    x = start.astype(np.float64)
    iterations = 0
    while iterations < MAX_ITERATIONS:
        residual = (right - fine.apply(x)).astype(np.float32)  # in float64, as float32 would lose what is left
        change = np.zeros_like(residual)
        direction, energy = np.zeros_like(residual), 1.0
        while iterations < MAX_ITERATIONS:
            iterations += 1
            correction = grids.cycle(residual)
            error = float(np.abs(correction).max(initial=0))
            if error < tolerance:
                return x + change + correction
            energy, before = float(np.vdot(residual, correction)), energy
            direction = correction + (energy / before if direction.any() else 0) * direction
            image = fine.apply(direction)
            length = energy / float(np.vdot(direction, image))
            change += length * direction
            residual -= length * image
            if error < 1e-3 * np.abs(change).max(initial=0):
                break  # float32 may have drifted: take the residual anew in float64
        x += change
    return x
