"""What is wrong with a mask: diagnose it, repair it on demand, refuse one that cannot be filled."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image

from inpaint_core.errors import InpaintError
from inpaint_core.masks.boxes import Box, bounding_box
from inpaint_core.numeric import as_number, as_whole

SPECK = 1e-5
"""A piece of hole under this share of the picture (10 pixels of 1 MP) counts as a speck."""

MAX_SPECK, MAX_DILATION = 1_000_000_000, 10_000
"""The most that `repair` takes: pixels of a speck, and of a dilation's radius."""


@dataclass(frozen=True)
class Diagnosis:
    """What `diagnose` finds. All shares are of the picture's pixels unless stated otherwise."""

    height: int
    width: int
    share: float  # of the hole
    holes: int  # connected pieces of the hole, corners touching
    specks: int  # how many of these pieces are specks
    loops: int  # known regions wholly enclosed by hole, as inside a drawn outline
    loop_share: float  # of what closing these loops would add
    border_share: float  # of the picture's border pixels that are hole
    soft: bool  # there are values between known and hole
    looks_inverted: bool
    reasons: tuple[str, ...]  # what a user should know, one sentence each; empty for a sound mask


def diagnose(mask: np.ndarray | Image.Image) -> Diagnosis:
    """Look at a mask without changing it.

    Args:
        mask: bool, uint8 (255 = hole) or float in [0, 1], H x W; soft values count as hole from half on.

    Returns:
        The findings. A mask counts as inverted when most of it is hole, the hole takes most of the border, and
        what is known is in a few large pieces: the picture of an object mask with black and white exchanged. A photo
        to be continued outwards looks the same, so this is a question to the user and never acted upon here.

    Raises:
        InpaintError: for a mask that is not H x W or holds NaN.
    """
    values = _plane(mask)
    hole, soft = _halve(values)
    height, width = hole.shape
    share = float(hole.mean())
    sizes = _piece_sizes(hole, connectivity=8)
    specks = int((sizes < max(SPECK * hole.size, 2)).sum()) if len(sizes) > 1 else 0
    enclosed = _enclosed(hole)
    loops = len(_piece_sizes(enclosed, connectivity=4))
    loop_share = float(enclosed.mean())
    border = np.concatenate([hole[0], hole[-1], hole[1:-1, 0], hole[1:-1, -1]])
    border_share = float(border.mean())
    inverted = _looks_inverted(hole, share, border_share)
    reasons = []
    if share == 0:
        reasons.append("The mask is empty: paint over what should be removed.")
    if share == 1:
        reasons.append("The mask covers everything: leave something to fill from.")
    if inverted:
        reasons.append(
            f"The hole is {share:.0%} of the picture and {border_share:.0%} of its border: "
            "black and white may be exchanged; invert the mask if so."
        )
    if loops and loop_share > 0.002 and not inverted:
        reasons.append(
            f"{'An outline encloses' if loops == 1 else f'{loops} outlines enclose'} {loop_share:.1%} of the picture: "
            "close the loops to fill the inside too."
        )
    if specks:
        reasons.append(f"{specks} of the {len(sizes)} holes are specks of a few pixels: remove them if unwanted.")
    if soft:
        reasons.append("The mask has soft values: all from half on count as hole.")
    return Diagnosis(
        height, width, share, len(sizes), specks, loops, loop_share, border_share, soft, inverted, tuple(reasons)
    )


def repair(
    mask: np.ndarray | Image.Image,
    *,
    invert: bool = False,
    close_loops: bool = False,
    remove_specks: int = 0,
    dilate: float = 0,
) -> np.ndarray:
    """Repair a mask, in this order: invert, remove specks, close loops, dilate.

    Args:
        mask: bool, uint8 (255 = hole) or float in [0, 1], H x W; soft values count as hole from half on.
        invert: exchange hole and known.
        close_loops: make every known region hole that hole encloses on all sides. The picture's border closes nothing.
        remove_specks: pieces of hole of fewer pixels than this become known.
        dilate: grow the hole by a disc of this radius in pixels.

    Returns:
        bool, H x W, True = hole; a new array.

    Raises:
        InpaintError: for a mask that is not H x W or holds NaN, or a negative number of pixels.
    """
    remove_specks = as_whole(remove_specks, "The pixels of a speck", 0, MAX_SPECK)
    dilate = as_number(dilate, "The dilation in pixels", 0, MAX_DILATION)
    hole, _ = _halve(_plane(mask))
    hole = ~hole if invert else hole.copy()
    if remove_specks > 1:
        count, labels, stats, _ = cv2.connectedComponentsWithStats(hole.view(np.uint8), connectivity=8)
        large = stats[:count, cv2.CC_STAT_AREA] >= remove_specks
        large[0] = False  # label 0 is what is known
        hole = large[labels]
    if close_loops:
        hole |= _enclosed(hole)
    if dilate:
        hole = _dilate(hole, dilate)
    return hole


def check(mask: np.ndarray | Image.Image, height: int, width: int) -> np.ndarray:
    """Make sure that an image of this size can be filled with this mask.

    Args:
        mask: H x W; bool, integer (> 0 = hole) or float in [0, 1] (from half on = hole).
        height, width: size of the image.

    Returns:
        bool, height x width, True = hole; the mask itself where it is such an array.

    Raises:
        InpaintError: for a mask of another shape or size, with NaN, empty or full.
    """
    values = _plane(mask)
    if values.shape != (height, width):
        raise InpaintError(
            f"The mask is {values.shape[1]} x {values.shape[0]} pixels but the image {width} x {height}: "
            "give a mask of the image's size."
        )
    if values.dtype.kind == "b":
        hole = values
    else:
        hole = values >= 0.5 if values.dtype.kind == "f" else values > 0
    if not hole.any():
        raise InpaintError("The mask is empty: paint over what should be removed.")
    if hole.all():
        raise InpaintError("The mask covers the whole image: leave something known to fill from.")
    return hole


def _plane(mask: np.ndarray | Image.Image) -> np.ndarray:
    """The mask as an array of two dimensions without NaN, or an InpaintError."""
    values = np.asarray(mask)
    if values.ndim != 2 or not values.size:
        raise InpaintError(f"A mask must have the shape height x width, not {values.shape}.")
    if values.dtype.kind not in "buif":
        raise InpaintError(f"A mask must hold numbers, not {values.dtype}.")
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise InpaintError("The mask holds values that are not numbers (NaN or infinity): make it 0 and 1.")
    return values


def _halve(values: np.ndarray) -> tuple[np.ndarray, bool]:
    """The hole (from half of the range on), and whether there are soft values in between."""
    if values.dtype.kind == "b":
        return values, False
    top = values.max()
    full = 1 if values.dtype.kind == "f" or top <= 1 else 255 if top <= 255 else 65535
    hole = values * 2.0 >= full if values.dtype.kind == "f" else values >= (full + 1) // 2
    # JPEG leaves a few levels of noise around black and white, which is not softness.
    soft = (values > 0.1 * full) & (values < 0.9 * full)
    return hole, bool(soft.any())


def _piece_sizes(region: np.ndarray, connectivity: int) -> np.ndarray:
    """Pixels of each connected piece of a region."""
    if not region.any():
        return np.zeros(0, dtype=np.int64)
    stats = cv2.connectedComponentsWithStats(region.view(np.uint8), connectivity=connectivity)[2]
    return stats[1:, cv2.CC_STAT_AREA]


def _enclosed(hole: np.ndarray) -> np.ndarray:
    """Known pixels that cannot reach the border. Hole pixels touching at a corner are connected."""
    flooded = np.pad(hole.view(np.uint8), 1)  # a known frame, from which all that is not enclosed is reached
    cv2.floodFill(flooded, None, (0, 0), 1, flags=4)
    return flooded[1:-1, 1:-1] == 0


def _looks_inverted(hole: np.ndarray, share: float, border_share: float) -> bool:
    if not 0.5 < share < 1 or border_share < max(0.6, share - 0.1):
        return False
    known = _piece_sizes(~hole, connectivity=4)
    # Pixels or specks all over (random-pixel masks) are a damaged photo, not an object.
    return bool(known.max() >= 0.05 * known.sum())


def _dilate(hole: np.ndarray, radius: float) -> np.ndarray:
    """Every pixel within `radius` of a hole pixel: by distance, so a large radius costs no more than a small one."""
    if not hole.any():
        return hole
    # Only around the hole, which is mostly a small part of the photo.
    window = bounding_box(hole).grown(int(radius) + 1, limit=Box(0, 0, *hole.shape)).slices
    known = np.ascontiguousarray(~hole[window]).view(np.uint8)
    hole[window] = cv2.distanceTransform(known, cv2.DIST_L2, cv2.DIST_MASK_PRECISE) <= radius + 1e-3
    return hole
