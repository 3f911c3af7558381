"""Pictures for the page: parts of a photo around its hole, brought to the size of the page."""

from __future__ import annotations

import cv2
import numpy as np


def around(mask: np.ndarray) -> tuple[slice, slice]:
    """Rows and columns of the hole (bool H x W, not empty) with half of its longer side around it."""
    spans = [np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0)]
    margin = round(max(np.ptp(span) + 1 for span in spans) / 2)
    rows, columns = (slice(max(0, int(span[0]) - margin), int(span[-1]) + 1 + margin) for span in spans)
    return rows, columns


def resized(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """uint8 H x W x 3 brought to (height, width), pixels kept sharp where it grows; itself where it has that size."""
    if image.shape[:2] == size:
        return image
    shrinks = max(image.shape[:2]) > max(size)
    return cv2.resize(image, size[::-1], interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_NEAREST)


def fitted(image: np.ndarray, side: int) -> np.ndarray:
    """uint8 H x W x 3 brought to a longer side of `side` pixels."""
    scale = side / max(image.shape[:2])
    return resized(image, (max(1, round(image.shape[0] * scale)), max(1, round(image.shape[1] * scale))))
