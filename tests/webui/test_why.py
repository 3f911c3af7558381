"""Pictures of what a method did."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from inpaint_core import Result
from inpaint_core.masks.boxes import Box
from webui import why


def test_the_colour_wheel_shows_direction_and_leaves_zero_white() -> None:
    offsets = np.zeros((2, 4, 4), np.float32)
    offsets[:, 0, 0], offsets[:, 0, 1], offsets[:, 0, 2] = (0, 5), (0, -5), (5, 0)
    wheel = why.colour_wheel(offsets)
    assert (wheel[1:] > 240).all()
    colours = [tuple(wheel[0, column]) for column in range(3)]
    assert len(set(colours)) == 3
    assert colours[0][0] > colours[0][2]  # to the right is red
    assert colours[1][2] > colours[1][0]  # to the left is not


def test_why_shows_the_crops_and_every_array_a_method_returns(tmp_path: Path) -> None:
    image = np.full((200, 300, 3), 200, np.uint8)
    details = {
        "crops": [{"box": Box(50, 60, 150, 160), "scale": 1.0}],
        "box": Box(50, 60, 150, 160),
        "notes": ["a sentence"],
        "offsets": np.ones((1, 2, 20, 20), np.float32),
        "coarse": np.zeros((1, 3, 20, 20), np.float32),
        "gates": [np.zeros((1, 8, 10, 10), np.float32), np.ones((1, 8, 5, 5), np.float32)],
        "refine": {"offsets": np.ones((1, 2, 20, 20), np.float32)},
    }
    names = iter(range(100))
    shown = why.pictures(image, Result("ns", image, 0.1, details), lambda suffix: tmp_path / f"{next(names)}{suffix}")
    captions = [caption for _, caption in shown]
    assert len(shown) == 6
    assert captions[0].startswith("What the method saw")
    assert any("coarse" in caption for caption in captions)
    assert any(caption.startswith("refine: offsets") for caption in captions)
    crops = np.asarray(Image.open(shown[0][0]))
    assert crops[100, 100].mean() > 2 * crops[20, 20].mean()  # bright inside of the crop
