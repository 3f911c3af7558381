"""Evens out the steps of brightness and colour between copied patches, and between them and the photo around.

Patches from two places of a sky differ by a level or two, which shows as a line. The patches show what the
difference between two neighbours should be: the gradient-domain fusion of Agarwala et al., "Interactive digital
photomontage", SIGGRAPH 2004, section 3. Departures: only small steps are evened out, for a large one is a contour; and
corrections fade with the distance from the seam, so a wrong one stays where it is.
"""

from __future__ import annotations

import torch
from torch import Tensor

LARGEST_STEP = 0.12  # a step of this size, of 1, is a contour and left alone; half of it and less counts in full
LARGEST_CORRECTION = 0.1
FADE = 40.0  # pixels over which a correction fades
MAX_ITERATIONS = 300
TOLERANCE = 1e-3  # relative size of the residual at which the solver stops: far below a grey level
NEIGHBOURS = ((0, 1), (1, 0), (0, -1), (-1, 0))


def even_out(image: Tensor, hole: Tensor, offsets: Tensor) -> Tensor:
    """Correct the hole of a completed image so that its copied pieces meet without a step.

    Args:
        image: float32 H x W x C in [0, 1], every hole pixel a copy of a known one.
        hole: bool H x W.
        offsets: int64 2 x H x W: (rows, columns) from each hole pixel to the known pixel it was copied from.

    Returns:
        float32 H x W x C in [0, 1], equal to `image` outside the hole, within `LARGEST_CORRECTION` of it inside.
    """
    height, width = hole.shape
    flat, covered = image.reshape(height * width, -1), hole.flatten()
    pixels = covered.nonzero()[:, 0]
    row, column = pixels // width, pixels % width
    number = torch.full((height * width,), len(pixels), device=image.device)  # known pixels share the last number
    number[pixels] = torch.arange(len(pixels), device=image.device)
    source_row = torch.arange(height, device=image.device)[:, None] + offsets[0]
    source_column = torch.arange(width, device=image.device)[None] + offsets[1]
    neighbours, wanted = [], torch.zeros(len(pixels), flat.shape[1], device=image.device)
    degree = torch.zeros(len(pixels), 1, device=image.device)
    for down, right in NEIGHBOURS:
        inside, other = _moved(row, column, down, right, height, width)
        # What p's source says of q less what q is, and what p is less what q's source says of it: both are the step.
        first_inside, first = _moved(source_row[row, column], source_column[row, column], down, right, height, width)
        there = source_row.flatten()[other], source_column.flatten()[other]
        second_inside, second = _moved(*there, -down, -right, height, width)
        first_known = (inside & first_inside & ~covered[first])[:, None]
        second_known = (inside & second_inside & ~covered[second])[:, None]
        step = (flat[first] - flat[other]) * first_known + (flat[pixels] - flat[second]) * second_known
        step = step / (first_known.float() + second_known.float()).clamp_min(1)
        size = step.abs().amax(1, keepdim=True) / LARGEST_STEP
        wanted -= step * (2 - 2 * size).clamp(0, 1)
        degree += inside[:, None]
        neighbours.append(torch.where(inside, number[other], len(pixels)))
    correction = _solve(torch.stack(neighbours, 1), degree + FADE**-2, wanted)
    result = flat.clone()
    corrected = flat[pixels] + correction.clamp(-LARGEST_CORRECTION, LARGEST_CORRECTION)
    result[pixels] = corrected.clamp(0, 1)
    return result.view(image.shape)


def _moved(row: Tensor, column: Tensor, down: int, right: int, height: int, width: int) -> tuple[Tensor, Tensor]:
    """Whether the moved positions lie in the image, and their flat positions (that of the nearest pixel if not)."""
    row, column = row + down, column + right
    inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
    return inside, row.clamp(0, height - 1) * width + column.clamp(0, width - 1)


def _solve(neighbours: Tensor, diagonal: Tensor, right_side: Tensor) -> Tensor:
    """diagonal * u(p) - sum of u over p's neighbours = right side, by conjugate gradients with Jacobi's preconditioner.

    Args:
        neighbours: int64 K x 4, numbers of unknowns; K stands for a known pixel, whose u is 0.
        diagonal: K x 1.
        right_side: K x C; the channels are systems of their own.

    Returns:
        K x C.
    """

    def apply(u: Tensor) -> Tensor:
        padded = torch.cat((u, torch.zeros_like(u[:1])))
        return diagonal * u - padded[neighbours].sum(1)

    solution = torch.zeros_like(right_side)
    residual = right_side.clone()
    scaled = residual / diagonal
    direction = scaled.clone()
    energy = (residual * scaled).sum(0)
    goal = TOLERANCE**2 * energy
    for _ in range(MAX_ITERATIONS):
        if bool((energy <= goal).all()):
            break
        image = apply(direction)
        step = energy / (direction * image).sum(0).clamp_min(1e-20)
        solution += step * direction
        residual -= step * image
        scaled = residual / diagonal
        renewed = (residual * scaled).sum(0)
        direction = scaled + renewed / energy.clamp_min(1e-20) * direction
        energy = renewed
    return solution
