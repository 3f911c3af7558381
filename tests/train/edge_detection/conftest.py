"""Photos for the edge detector's tests: squares, their soft edge maps, and what annotators drew."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Photos of a bright square, soft edge maps of them, and three annotators' drawings."""
    folder = tmp_path_factory.mktemp("edges")
    for name in ("photos", "maps", "drawn"):
        (folder / name).mkdir()
    random = np.random.default_rng(0)
    for number in range(6):
        height, width = 72 + 4 * number, 96
        top, left = random.integers(10, 30, 2)
        photo = random.integers(0, 60, (height, width, 3), dtype=np.uint8)
        photo[top : top + 30, left : left + 40] += 150
        line = np.zeros((height, width), np.uint8)
        line[[top, top + 30], left : left + 41] = 1
        line[top : top + 31, [left, left + 40]] = 1
        soft = np.asarray(Image.fromarray(line * 255).resize((width // 2, height // 2)).resize((width, height)))
        Image.fromarray(photo).save(folder / "photos" / f"{number}.png")
        if number != 5:
            Image.fromarray(soft).save(folder / "maps" / f"{number}.png")
        bits = line | np.roll(line, 1, 0) << 1 | (line * (number % 2)) << 3  # the third drew on every other photo
        Image.fromarray(photo).save(folder / "drawn" / f"{number}.png")
        Image.fromarray(bits.astype(np.uint8)).save(folder / "drawn" / f"{number}.annotators.png")
    return folder
