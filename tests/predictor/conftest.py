"""What the tests of this package change of the methods they run."""

from __future__ import annotations

import pytest

from inpaint_core import catalogue
from inpaint_core.predictor import predictor


@pytest.fixture(autouse=True)
def few_drawn_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    """What holds for every method holds for those that draw pixel by pixel, however many they draw."""
    for record in catalogue.methods():
        if record.family == "autoregressive" and record.ready:
            method = predictor.instance(record.name)
            monkeypatch.setattr(method, "native_size", 12)
            monkeypatch.setattr(method, "samples", 2)
