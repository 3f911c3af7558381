"""The photos that are measured on, and their holes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from inpaint_core.errors import InpaintError
from train.evaluation.photos import Photo, central_square, mask_for, read_photos, spread_evenly


def test_every_method_and_every_run_fill_the_same_holes() -> None:
    first = mask_for("a.png", "free_form", 64, 64)
    assert np.array_equal(first, mask_for("a.png", "free_form", 64, 64))
    assert not np.array_equal(first, mask_for("b.png", "free_form", 64, 64))
    assert not np.array_equal(first, mask_for("a.png", "free_form", 64, 64, seed=1))


def test_irregular_masks_take_the_share_that_is_asked_for() -> None:
    for name in ("a.png", "b.png", "c.png"):
        assert 0.1 <= mask_for(name, "irregular@10-20", 64, 64).mean() <= 0.2
        assert 0.5 <= mask_for(name, "irregular@50-60", 64, 64).mean() <= 0.6


@pytest.mark.parametrize("masks", ["centre@10-20", "irregular@10", "irregular@a-b", "irregular@60-50", "magic"])
def test_masks_that_do_not_exist_are_refused(masks: str) -> None:
    with pytest.raises(InpaintError):
        mask_for("a.png", masks, 64, 64)


def test_photos_are_central_squares_or_whole_and_broken_ones_are_named(
    three: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    squares = dict(read_photos([three], 32))
    assert [pixels.shape for pixels in squares.values()] == [(32, 32, 3)] * 3
    assert "broken.png cannot be read" in capsys.readouterr().err
    assert dict(read_photos([three], 0))["cat.png"].shape == (64, 72, 3)
    assert len(list(read_photos([three], 32, limit=2))) == 2
    wide = np.zeros((4, 8, 3), np.uint8)
    wide[:, 2:6] = 255
    assert central_square(wide, 4).min() == 255


def test_photos_are_spread_over_all_there_are() -> None:
    photos = [Photo(str(index), np.zeros((1, 1, 3), np.uint8)) for index in range(10)]
    assert [photo.name for photo in spread_evenly(photos, 4)] == ["0", "3", "6", "9"]
    assert spread_evenly(photos, None) == spread_evenly(photos, 99) == photos
