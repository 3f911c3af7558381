"""The edges of a photo's known part, for methods that follow a sketch by them."""

from __future__ import annotations

import cv2
import numpy as np

from inpaint_core import sketch
from inpaint_core.predictor.resize import as_photo

CLOSED_FROM = 3  # pixels around a hole pixel that close it before edges are looked for


def known_edges(image: np.ndarray, hole: np.ndarray, device: str) -> np.ndarray:
    """The thin edges of a photo outside its hole: the rim of the hole must not show as one.

    Args:
        image: float32 H x W x 3 in [0, 1].
        hole: float32 H x W, 1 = hole.
        device: of the edge detector.

    Returns:
        float32 H x W, 1 = edge.

    Raises:
        InpaintError: the detector's weights are absent or damaged.
    """
    closed = cv2.inpaint(as_photo(image, *hole.shape), hole.astype(np.uint8), CLOSED_FROM, cv2.INPAINT_TELEA)
    return (sketch.thin(sketch.edges(closed, device)) & (hole == 0)).astype(np.float32)
