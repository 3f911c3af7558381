"""A bent line as the tests of sketches draw it, and how far a found line is from it."""

from __future__ import annotations

import cv2
import numpy as np
from scipy.ndimage import distance_transform_edt

WHITE, BLACK = (255, 255, 255), (0, 0, 0)


def drawing(
    width: int = 1, ink: tuple[int, ...] = BLACK, paper: tuple[int, ...] = WHITE, smooth: int = cv2.LINE_8
) -> np.ndarray:
    """A bent line of some width, uint8 160 x 200 x channels, in that ink on that paper."""
    canvas = np.empty((160, 200, len(paper)), np.uint8)
    canvas[:] = paper
    points = np.array([[20, 30], [90, 120], [180, 60]])
    cv2.polylines(canvas, [points], False, ink, width, smooth)
    return canvas


TRUTH = drawing()[..., 0] == 0


def far(these: np.ndarray, those: np.ndarray) -> float:
    """The largest distance of a pixel of `these` from `those`."""
    return float(distance_transform_edt(~those)[these].max())


def same_line(found: np.ndarray, tolerance: float = 3.0) -> bool:
    return far(found, TRUTH) <= tolerance and far(TRUTH, found) <= tolerance
