"""A folder with a photo and its mask, and one with several."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.cli.running import HEIGHT, WIDTH
from tests.weights.conftest import publisher, store  # noqa: F401  # fixtures of test_weights.py


@pytest.fixture
def folder(tmp_path: Path, astronaut: np.ndarray) -> Path:
    """photo.png, photo.jpg, and mask.png (a white box) of one size."""
    photo = Image.fromarray(astronaut[100 : 100 + HEIGHT, 200 : 200 + WIDTH])
    photo.save(tmp_path / "photo.png")
    photo.save(tmp_path / "photo.jpg", quality=90)
    hole = np.zeros((HEIGHT, WIDTH), np.uint8)
    hole[20:36, 30:50] = 255
    Image.fromarray(hole).save(tmp_path / "mask.png")
    return tmp_path


@pytest.fixture
def batch(folder: Path) -> Path:
    """photos/ with a.png, b.jpg and a broken c.jpg; masks/ with one for each, two with an ending."""
    photos, masks = folder / "photos", folder / "masks"
    photos.mkdir()
    masks.mkdir()
    (photos / "a.png").write_bytes((folder / "photo.png").read_bytes())
    (photos / "b.jpg").write_bytes((folder / "photo.jpg").read_bytes())
    (photos / "c.jpg").write_bytes((folder / "photo.jpg").read_bytes()[:900])
    (photos / "notes.txt").write_text("not a photo")
    for name in ("a.png", "b_mask.png", "c-mask.png"):
        (masks / name).write_bytes((folder / "mask.png").read_bytes())
    return folder
