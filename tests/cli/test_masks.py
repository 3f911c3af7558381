"""The commands of `mask`: random, box, repair, check."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.cli.running import HEIGHT, WIDTH, pixels, run


def test_mask_random_is_the_same_for_a_seed_and_has_the_photos_size(folder: Path) -> None:
    for name, seed in (("one", 3), ("two", 3), ("three", 4)):
        assert run("mask", "random", folder / f"{name}.png", "--like", folder / "photo.jpg", "--seed", seed) == 0
    one, two, three = (pixels(folder / f"{name}.png") for name in ("one", "two", "three"))
    assert one.shape == (HEIGHT, WIDTH, 3)
    assert np.array_equal(one, two)
    assert not np.array_equal(one, three)


def test_mask_random_hides_the_share_asked_for(folder: Path) -> None:
    arguments = ("--kind", "irregular", "--share", 0.25, "--size", "80x60")
    assert run("mask", "random", folder / "quarter.png", *arguments) == 0
    assert (pixels(folder / "quarter.png")[..., 0] > 0).mean() == pytest.approx(0.25, abs=0.001)


def test_mask_box_is_that_box(folder: Path) -> None:
    assert run("mask", "box", folder / "box.png", "--box", "10,5,20,8", "--size", f"{WIDTH}x{HEIGHT}") == 0
    expected = np.zeros((HEIGHT, WIDTH), bool)
    expected[5:13, 10:30] = True
    assert np.array_equal(pixels(folder / "box.png")[..., 0] > 0, expected)


def test_mask_repair_closes_a_drawn_loop(folder: Path) -> None:
    outline = np.zeros((HEIGHT, WIDTH), np.uint8)
    outline[20:40, 20:50] = 255
    outline[23:37, 23:47] = 0
    Image.fromarray(outline).save(folder / "outline.png")
    assert run("mask", "repair", folder / "outline.png", folder / "repaired.png", "--close-loops") == 0
    assert (pixels(folder / "repaired.png")[20:40, 20:50] == 255).all()


def test_mask_check_says_how_much_is_to_fill(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("mask", "check", folder / "mask.png", "--like", folder / "photo.png") == 0
    assert f"{16 * 20 / (HEIGHT * WIDTH):.1%}" in capsys.readouterr().out
