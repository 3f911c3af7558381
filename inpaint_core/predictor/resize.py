"""How a photo with a hole is brought to another size, padded, and back: known pixels never mix with the hole's."""

from __future__ import annotations

import math

import cv2
import numpy as np


def shrink(image: np.ndarray, mask: np.ndarray, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Reduce an image with a hole by area averaging over its known pixels only.

    Args:
        image: float32 H x W x 3.
        mask: float32 H x W, 1 = hole.
        height, width: the new size, at most the old.

    Returns:
        The image, float32 height x width x 3, and the mask, float32: 1 where not one known pixel fell into the pixel.
    """
    known = 1.0 - mask
    weight = cv2.resize(known, (width, height), interpolation=cv2.INTER_AREA)
    total = cv2.resize(image * known[..., None], (width, height), interpolation=cv2.INTER_AREA)
    hole = weight < 1e-4
    return total / np.maximum(weight, 1e-4)[..., None], hole.astype(np.float32)


def resize_known(image: np.ndarray, mask: np.ndarray, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """A photo with a hole at another size, made of its known pixels only: the hole's content must not run into them.

    Args:
        image: uint8 H x W x 3.
        mask: bool H x W, True = hole.
        height, width: the new size, both sides larger or both smaller, or the old one.

    Returns:
        The image, float32 height x width x 3 in [0, 1], and the mask, float32 height x width, 1 = hole; none is left
        where a smaller photo has a known part in every pixel.
    """
    if (height, width) == mask.shape:
        return image.astype(np.float32) / 255, mask.astype(np.float32)
    if height <= mask.shape[0] and width <= mask.shape[1]:
        return shrink(image.astype(np.float32) / 255, mask.astype(np.float32), height, width)
    known = 1 - mask.astype(np.float32)
    weight = cv2.resize(known, (width, height), interpolation=cv2.INTER_LINEAR)
    total = cv2.resize(image * (known / 255)[..., None], (width, height), interpolation=cv2.INTER_LINEAR)
    hole = cv2.resize(mask.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST)
    return (total / np.maximum(weight, 1e-4)[..., None]).clip(0, 1), hole.astype(np.float32)


def as_photo(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """float32 in [0, 1] at any size -> uint8 height x width x 3."""
    if image.shape[:2] != (height, width):
        shrinks = height < image.shape[0]
        image = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
    return np.rint(image.clip(0, 1) * 255).astype(np.uint8)


def pad_to_multiple(array: np.ndarray, multiple: int, square_of: int | None = None) -> np.ndarray:
    """Mirror an H x W or H x W x C array at its bottom and right until both sides are multiples, or `square_of`."""
    height, width = array.shape[:2]
    bottom = (square_of or math.ceil(height / multiple) * multiple) - height
    right = (square_of or math.ceil(width / multiple) * multiple) - width
    if not bottom and not right:
        return array
    return cv2.copyMakeBorder(array, 0, bottom, 0, right, cv2.BORDER_REFLECT_101)
