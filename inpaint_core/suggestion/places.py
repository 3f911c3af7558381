"""Intact places of a photo that resemble what is around its hole, where a copy of the hole can be tried."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from scipy.signal import fftconvolve
from skimage.color import rgb2lab

from inpaint_core import masks
from inpaint_core.errors import InpaintError
from inpaint_core.masks.boxes import bounding_box

SIDE = 96  # pixels, the longer side of the small copy on which all shifts are judged at once
LEAST_SHARE = 0.7  # of the hole's pixels must fall on intact ones
RING = 0.35  # width of the surroundings, as a share of the root of the hole's area
CLEARANCE = 3  # pixels of the photo between the hole and a copy of it
APART = 0.3  # between two places, as a share of the hole's box
LEAST_SIDE = 12  # pixels: a smaller copy of a hole measures nothing
TEXTURE_WEIGHT = 2.0  # of how much a place varies, beside its colour


@dataclass(frozen=True)
class Place:
    """Where a copy of the hole is tried."""

    mask: np.ndarray  # bool H x W, the copy; no pixel of it lies in the hole
    distance: float  # of the place's colours and texture from those around the hole; 0 = equal


def find(image: np.ndarray, mask: np.ndarray, count: int) -> list[Place]:
    """The places where copies of the hole fall on intact pixels, those most like the hole's surroundings first.

    A hole that is too large to be moved is tried at half its size, then at a quarter.

    Args:
        image: uint8 H x W x 3; what the hole hides must be painted over.
        mask: bool H x W, True = hole.
        count: how many, at most; at least one is found.

    Raises:
        InpaintError: nothing of the photo is large enough.
    """
    copy: np.ndarray | None = mask
    while copy is not None:
        places = _find(image, mask, copy, count)
        if places:
            return places
        copy = _halved(copy)
    raise InpaintError(
        "The mask covers so much of the photo that no method can be tried on the rest; paint less of it."
    )


def _find(image: np.ndarray, mask: np.ndarray, copy: np.ndarray, count: int) -> list[Place]:
    """`find` for a copy of the hole, which may be smaller than it; nothing where it falls on too few intact pixels."""
    height, width = mask.shape
    scale = min(1.0, SIDE / max(height, width))
    size = max(8, round(width * scale)), max(8, round(height * scale))
    hole = cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0
    if hole.all():
        return []
    moved = (cv2.resize(copy.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0).astype(np.float32)
    features = _features(cv2.resize(image, size, interpolation=cv2.INTER_AREA))
    intact = (~hole).astype(np.float32)
    share = _at_every_shift(intact, moved) / moved.sum()

    reach = max(1, round(RING * float(np.sqrt(moved.sum()))))
    ring = masks.repair(hole, dilate=reach) & ~hole
    if not ring.any():
        ring = ~hole
    wanted_mean, wanted_spread = features[ring].mean(axis=0), features[ring].std(axis=0)
    around = masks.repair(moved > 0, dilate=reach).astype(np.float32)
    counted = np.maximum(_at_every_shift(intact, around), 1)
    distance = np.zeros(share.shape, np.float32)
    for index in range(features.shape[2]):
        plane = features[..., index] * intact
        mean = _at_every_shift(plane, around) / counted
        square = _at_every_shift(plane * features[..., index], around) / counted
        spread = np.sqrt(np.maximum(square - mean**2, 0))
        distance += (mean - wanted_mean[index]) ** 2 + TEXTURE_WEIGHT * (spread - wanted_spread[index]) ** 2
    distance = np.sqrt(distance)
    distance[share < LEAST_SHARE] = np.inf

    box = bounding_box(moved > 0)
    clear = masks.repair(mask, dilate=CLEARANCE)
    places: list[Place] = []
    while len(places) < count and np.isfinite(distance).any():
        row, column = np.unravel_index(int(np.argmin(distance)), distance.shape)
        down, right = int(row) - (size[1] - 1), int(column) - (size[0] - 1)
        placed = _shifted(copy, round(down * height / size[1]), round(right * width / size[0])) & ~clear
        if placed.sum() >= LEAST_SHARE * copy.sum():  # not always, since the small copy has rounded
            places.append(Place(placed, float(distance[row, column])))
        apart = max(1, round(APART * box.height)), max(1, round(APART * box.width))
        distance[max(0, row - apart[0]) : row + apart[0] + 1, max(0, column - apart[1]) : column + apart[1] + 1] = (
            np.inf
        )
    return places


def _features(image: np.ndarray) -> np.ndarray:
    """Colour in CIELAB and the strength of its change, float32 H x W x 4, in units of about ten just-seen steps."""
    lab = rgb2lab(image).astype(np.float32) / 20
    change = cv2.magnitude(cv2.Sobel(lab[..., 0], -1, 1, 0), cv2.Sobel(lab[..., 0], -1, 0, 1)) / 2
    return np.dstack([lab, change])


def _at_every_shift(plane: np.ndarray, window: np.ndarray) -> np.ndarray:
    """The sum of a plane under a window for each shift of it: H x W planes, (2 H - 1) x (2 W - 1) sums."""
    return np.asarray(fftconvolve(plane, window[::-1, ::-1], mode="full"), np.float32)


def _shifted(mask: np.ndarray, down: int, right: int) -> np.ndarray:
    """A mask moved by this many pixels; what leaves the picture is lost."""
    height, width = mask.shape
    moved = np.zeros_like(mask)
    if abs(down) < height and abs(right) < width:
        moved[max(down, 0) : height + min(down, 0), max(right, 0) : width + min(right, 0)] = mask[
            max(-down, 0) : height - max(down, 0), max(-right, 0) : width - max(right, 0)
        ]
    return moved


def _halved(mask: np.ndarray) -> np.ndarray | None:
    """The hole at half its size about the middle of its box; None where it would be too small."""
    box = bounding_box(mask)
    if max(box.height, box.width) < 2 * LEAST_SIDE:
        return None
    size = max(1, box.width // 2), max(1, box.height // 2)
    small = cv2.resize(mask[box.slices].astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0
    halved = np.zeros_like(mask)
    top, left = box.top + box.height // 4, box.left + box.width // 4
    halved[top : top + size[1], left : left + size[0]] = small
    return halved
