"""A hole of two pieces."""

from __future__ import annotations

import cv2
import numpy as np
import pytest


@pytest.fixture
def hole() -> np.ndarray:
    """A disc and a bar in a 60 x 80 picture."""
    picture = np.zeros((60, 80), dtype=np.uint8)
    cv2.circle(picture, (25, 30), 12, 1, -1)
    cv2.rectangle(picture, (50, 10), (70, 20), 1, -1)
    return picture > 0
