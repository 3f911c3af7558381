"""A small photo in 8 and 16 bits, its transparency, and the photo read from a file."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from inpaint_core import photo
from tests.photo.files import HEIGHT, WIDTH, saved


@pytest.fixture(scope="module")
def rgb(astronaut: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(astronaut[60 : 60 + HEIGHT, 180 : 180 + WIDTH])


@pytest.fixture(scope="module")
def alpha() -> np.ndarray:
    ramp = np.linspace(0, 255, WIDTH).astype(np.uint8)
    return np.tile(ramp, (HEIGHT, 1))


@pytest.fixture(scope="module")
def sixteen() -> np.ndarray:
    """uint16 RGBA noise: every one of the 16 bits matters."""
    return np.random.default_rng(0).integers(0, 65536, (HEIGHT, WIDTH, 4), dtype=np.uint16)


@pytest.fixture
def picture(rgb, tmp_path) -> photo.Photo:
    path = tmp_path / "photo.png"
    path.write_bytes(saved(Image.fromarray(rgb), "PNG"))
    return photo.read(path)
