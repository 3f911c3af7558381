"""A photo and a method for the tests of this package."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from inpaint_core.methods.base import FillContext, Filled, FillMethod
from inpaint_core.predictor import predictor


def noise(height: int, width: int, seed: int = 0) -> np.ndarray:
    """A photo-like image: smooth colours with some grain."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:height, :width]
    smooth = np.stack([rows * 3 + columns, 255 - rows * 2, columns * 2], axis=-1)
    return ((smooth + rng.integers(0, 30, (height, width, 3))) % 256).astype(np.uint8)


class Declared(FillMethod):
    """Fills with mid-grey and remembers what it was given."""

    uses_gpu = True

    def __init__(self, **attributes):
        self.shapes: list[tuple[int, ...]] = []
        self.sketch: torch.Tensor | None = None
        for name, value in attributes.items():
            setattr(self, name, value)

    def fill(self, image, mask, context=FillContext()):
        self.shapes.append(tuple(image.shape))
        self.sketch = context.sketch
        assert mask.shape == (image.shape[0], 1, *image.shape[2:])
        assert context.sketch is None or context.sketch.shape == mask.shape
        assert 0 <= float(image.min()) <= float(image.max()) <= 1
        return Filled(torch.full_like(image, 0.5))


def use(monkeypatch: pytest.MonkeyPatch, method: FillMethod) -> None:
    """From now on this method fills, whichever is named."""
    monkeypatch.setattr(predictor, "instance", lambda name, weights=None: method)
