"""Photos that are open on the page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.weights.conftest import publisher, store  # noqa: F401  # fixtures of test_public_weights.py
from webui.session import Session, close, open_photo


@pytest.fixture
def session(tmp_path: Path, astronaut: np.ndarray) -> Iterator[Session]:
    """A photo of 400 x 300 pixels."""
    Image.fromarray(astronaut[:300, :400]).save(tmp_path / "photo.png")
    opened = open_photo(tmp_path / "photo.png")
    yield opened
    close(opened)


@pytest.fixture
def large(tmp_path: Path, astronaut: np.ndarray) -> Iterator[Session]:
    """A photo of 3000 x 2000 pixels, more than the canvas shows."""
    Image.fromarray(astronaut).resize((3000, 2000)).save(tmp_path / "large.jpg")
    opened = open_photo(tmp_path / "large.jpg")
    yield opened
    close(opened)
