"""Coarser copies of an image with a hole, made of its known pixels only."""

from __future__ import annotations

import cv2
import numpy as np

SMOOTHING_STEPS = 20
TEXTURE = 5  # pixels: the square over which texture is taken


def halve(image: np.ndarray, hole: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Shrink to half the size, each pixel the mean of the known ones below it.

    Args:
        image: float32 H x W x 3.
        hole: bool H x W.

    Returns:
        The image, float32 ceil(H / 2) x ceil(W / 2) x 3, and the share of known pixels below each of its pixels,
        float32.
    """
    known = (~hole).astype(np.float32)
    size = ((hole.shape[1] + 1) // 2, (hole.shape[0] + 1) // 2)
    share = cv2.resize(_even(known), size, interpolation=cv2.INTER_AREA)
    total = cv2.resize(_even(np.where(hole[..., None], np.float32(0), image)), size, interpolation=cv2.INTER_AREA)
    return total / np.maximum(share, 1e-6)[..., None], share


def double(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """Enlarge what `halve` made back to height x width, linearly."""
    size = (2 * image.shape[1], 2 * image.shape[0])
    return cv2.resize(image, size, interpolation=cv2.INTER_LINEAR)[:height, :width]


def smooth_fill(image: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """Fill the hole with a smooth membrane: float32 H x W x 3, bool H x W -> float32 H x W x 3.

    The mean of what is known is pulled up a pyramid until nothing is unknown and pushed down again, each level
    relaxed by a few Jacobi steps. Needs at least one known pixel.
    """
    if not hole.any():
        return image
    small, share = halve(image, hole)
    filled = np.where(hole[..., None], double(smooth_fill(small, share == 0), *hole.shape), image)
    for _ in range(SMOOTHING_STEPS):
        mean = cv2.blur(filled, (3, 3), borderType=cv2.BORDER_REPLICATE)
        filled = np.where(hole[..., None], mean, image)
    return filled


def hole_depth(hole: np.ndarray) -> np.ndarray:
    """Steps (of 8 directions) from each pixel to the nearest known one: bool H x W -> float32 H x W."""
    return cv2.distanceTransform(hole.astype(np.uint8), cv2.DIST_C, cv2.DIST_MASK_3)


def _even(plane: np.ndarray) -> np.ndarray:
    """H x W (x C) with its last row and column once more where a side is odd."""
    bottom, right = plane.shape[0] % 2, plane.shape[1] % 2
    return cv2.copyMakeBorder(plane, 0, bottom, 0, right, cv2.BORDER_REPLICATE) if bottom or right else plane


def with_texture(image: np.ndarray, hole: np.ndarray, weight: float) -> np.ndarray:
    """The image with a fourth channel: how much its brightness changes from pixel to pixel around each place.

    Shrunk copies of grass and of a wall have the same colour; this tells them apart as the photo itself does (Newson
    et al., "Video inpainting of complex scenes", SIAM J. Imaging Sciences 2014, section 3.3).

    Args:
        image: float32 H x W x 3.
        hole: bool H x W.
        weight: what the channel counts beside colours.
    """
    grey = np.where(hole, np.float32(0), cv2.cvtColor(image, cv2.COLOR_RGB2GRAY))
    change, count = np.zeros_like(grey), np.zeros_like(grey)
    for ahead, back in (np.s_[:, 1:], np.s_[:, :-1]), (np.s_[1:], np.s_[:-1]):
        known = (~(hole[ahead] | hole[back])).astype(np.float32)
        change[back] += known * np.abs(grey[ahead] - grey[back])
        count[back] += known
    change, count = (cv2.blur(plane, (TEXTURE, TEXTURE), borderType=cv2.BORDER_CONSTANT) for plane in (change, count))
    texture = np.where(hole, np.float32(0), change / np.maximum(count, np.float32(1e-6)))
    return cv2.merge([image, weight * texture])
