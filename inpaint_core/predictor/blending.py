"""Poisson blending: a fill keeps its gradients and takes its colours from the known pixels around the hole.

Perez, Gangnet, Blake: Poisson image editing, SIGGRAPH 2003, sections 2 and 3 (equations 7 and 12). The problem is
convex and quadratic, so it is solved to its end (`inpaint_core.predictor.poisson`): a descent that stops early leaves
something else in each channel, the dotted texture of earlier versions. The channels are coupled where a choice is made,
of the gradient that counts and of what is cut off beyond black and white.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np

from inpaint_core.errors import InpaintError
from inpaint_core.predictor import poisson
from inpaint_core.predictor.crops import plan_crops

BLENDS = ("poisson", "mixed")
CONTINUED = 3  # pixels around a hole pixel from which the photo's continuation is made
REACH, MIN_REACH = 0.5, 8.0  # how far into the hole it counts: of the hole's greatest depth, and pixels at least
AT_ONCE = 3_000_000  # rectangles of more pixels are solved channel by channel, which takes a third of the memory


def blend(image: np.ndarray, mask: np.ndarray, fill: np.ndarray, mixed: bool = False) -> np.ndarray:
    """Fit a fill seamlessly into its photo.

    Args:
        image: uint8 H x W x 3, the photo; what it holds in the hole does not matter.
        mask: bool H x W, True = hole, not all of it.
        fill: uint8 H x W x 3: the fill in the hole and, on the known pixels next to it, what the filling method would
            have put there. Where that is unknown, the photo itself.
        mixed: see `gradients`.

    Returns:
        uint8 H x W x 3: `image` itself at the known pixels.

    Raises:
        InpaintError: arrays that do not fit each other, or a hole without a known pixel.
    """
    if fill.shape != image.shape or mask.shape != image.shape[:2]:
        raise InpaintError(
            f"Photo, mask and fill must have one size, not {image.shape}, {mask.shape} and {fill.shape}: resize them."
        )
    if mask.all():
        raise InpaintError("A blend needs known pixels: leave some part of the photo outside of the mask.")
    blended = image.copy()
    for crop in plan_crops(mask, margin=0.0, min_margin=4) if mask.any() else ():
        window = crop.box.slices
        hole = np.zeros(mask[window].shape, bool)  # of this crop only: others may lie in its frame, but none beside
        for box in crop.holes:
            hole[box.moved(-crop.box.top, -crop.box.left).slices] = mask[box.slices]
        guide = fill[window].astype(np.float32) / 255
        known = image[window].astype(np.float32) / 255
        field = gradients(guide, known, hole, mixed)
        solved = solve(np.where(hole[..., None], guide, known), hole, *field)
        blended[window][hole] = np.rint(into_range(solved[hole]) * 255).astype(np.uint8)
    return blended


def gradients(
    fill: np.ndarray, image: np.ndarray, hole: np.ndarray, mixed: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """The differences between neighbours that a blend should have.

    Args:
        fill, image: float32 H x W x 3 in [0, 1]; what the image holds in the hole is ignored.
        hole: bool H x W.
        mixed: where the photo, continued into the hole by Navier-Stokes, changes more from a pixel to the next than the
            fill does, take its difference, for all three channels: lines that end at the hole go on for a bit. What is
            continued counts less the further it is from the rim, and nothing half-way to the middle.

    Returns:
        float32 H x (W - 1) x 3, each pixel less its left neighbour, and (H - 1) x W x 3, less its upper neighbour.
    """
    across, down = np.diff(fill, axis=1), np.diff(fill, axis=0)
    if not mixed:
        return across, down
    blanked = np.where(hole[..., None], 0, np.rint(image * 255)).astype(np.uint8)
    continued = cv2.inpaint(blanked, hole.astype(np.uint8), CONTINUED, cv2.INPAINT_NS).astype(np.float32) / 255
    depth = cv2.distanceTransform(hole.astype(np.uint8), cv2.DIST_L2, 3)
    trust = (1 - depth / max(REACH * depth.max(), MIN_REACH)).clip(0)[..., None]
    return (
        _stronger(across, np.diff(continued, axis=1) * np.minimum(trust[:, 1:], trust[:, :-1])),
        _stronger(down, np.diff(continued, axis=0) * np.minimum(trust[1:], trust[:-1])),
    )


def _stronger(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Of two fields H x W x 3 the vector of three channels that is longer; `one` where they are equal."""
    return np.where((np.square(other).sum(-1) > np.square(one).sum(-1))[..., None], other, one)


def solve(image: np.ndarray, hole: np.ndarray, across: np.ndarray, down: np.ndarray) -> np.ndarray:
    """The image whose differences inside the hole and over its rim are nearest to the given ones, by least squares.

    Args:
        image: float H x W x C: the known pixels, which stay, and in the hole a guess.
        hole: bool H x W, True = unknown; each connected part of it has a known neighbour.
        across, down: H x (W - 1) x C and (H - 1) x W x C, the differences wanted; those that touch the hole matter.

    Returns:
        float64 H x W x C; exact to about 1e-5 of the largest values.
    """
    grids = poisson.Multigrid(hole)

    def channel(number: int) -> np.ndarray:
        fixed = np.where(hole, 0.0, image[..., number])
        right = np.zeros(hole.shape)
        right[:, 1:] += across[..., number] + fixed[:, :-1]
        right[:, :-1] += fixed[:, 1:] - across[..., number]
        right[1:] += down[..., number] + fixed[:-1]
        right[:-1] += fixed[1:] - down[..., number]
        return fixed + poisson.solve(grids, np.where(hole, right, 0.0), np.where(hole, image[..., number], 0.0))

    workers = image.shape[2] if hole.size <= AT_ONCE else 1
    with ThreadPoolExecutor(workers) as pool:
        return np.stack(list(pool.map(channel, range(image.shape[2]))), axis=-1)


def into_range(colours: np.ndarray) -> np.ndarray:
    """Colours N x 3 brought into [0, 1] by moving them towards their own grey: cut one by one they change their hue."""
    grey = colours.mean(axis=-1, keepdims=True).clip(0, 1)
    apart = colours - grey
    limit = np.where(apart > 0, 1 - grey, grey)
    share = np.where(np.abs(apart) > limit, limit / np.maximum(np.abs(apart), 1e-12), 1.0)
    return grey + apart * share.min(axis=-1, keepdims=True)
