"""Pictures for the page: parts of a photo around its hole, brought to the size of the page."""

from __future__ import annotations

import cv2
import numpy as np

from inpaint_core.masks.boxes import Box, bounding_box


def around(mask: np.ndarray) -> tuple[slice, slice]:
    """Rows and columns of the hole (bool H x W, not empty) with half of its longer side around it."""
    hole = bounding_box(mask)
    margin = round(max(hole.height, hole.width) / 2)
    return hole.grown(margin, limit=Box(0, 0, *mask.shape)).slices


def resized(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """uint8 H x W (x 3) brought to (height, width), pixels kept sharp where it grows; itself where it has that size."""
    if image.shape[:2] == size:
        return image
    shrinks = max(image.shape[:2]) > max(size)
    return cv2.resize(image, size[::-1], interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_NEAREST)


def fitted(image: np.ndarray, side: int) -> np.ndarray:
    """uint8 H x W or H x W x 3 brought to a longer side of `side` pixels."""
    scale = side / max(image.shape[:2])
    return resized(image, (max(1, round(image.shape[0] * scale)), max(1, round(image.shape[1] * scale))))
