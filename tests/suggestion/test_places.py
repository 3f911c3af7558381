"""Copies of a hole fall on intact pixels that look like its surroundings."""

from __future__ import annotations

import numpy as np
import pytest

from inpaint_core import InpaintError
from inpaint_core.suggestion import places


def _two_textures() -> np.ndarray:
    """Flat grey at the left, coloured noise at the right; 160 x 240."""
    image = np.full((160, 240, 3), 128, np.uint8)
    image[:, 120:] = np.random.default_rng(0).integers(0, 255, (160, 120, 3))
    return image


def _box(top: int, left: int, height: int, width: int) -> np.ndarray:
    mask = np.zeros((160, 240), bool)
    mask[top : top + height, left : left + width] = True
    return mask


@pytest.mark.parametrize(("left", "columns"), [(40, slice(0, 120)), (180, slice(120, 240))], ids=["flat", "noise"])
def test_a_copy_lies_in_what_resembles_the_surroundings(left: int, columns: slice) -> None:
    mask = _box(60, left, 30, 24)
    found = places.find(_two_textures(), mask, 3)
    assert len(found) == 3
    assert [place.distance for place in found] == sorted(place.distance for place in found)
    for place in found:
        assert place.mask.sum() >= 0.7 * mask.sum()
        assert not (place.mask & mask).any()
        assert place.mask[:, columns].sum() >= 0.8 * place.mask.sum()


def test_the_places_differ() -> None:
    first, second = (place.mask for place in places.find(_two_textures(), _box(60, 40, 30, 24), 2))
    assert (first & second).sum() < 0.8 * first.sum()


def test_scattered_holes_are_moved_together() -> None:
    mask = _box(20, 20, 10, 60) | _box(100, 60, 12, 80) | _box(60, 150, 30, 10)
    (place,) = places.find(_two_textures(), mask, 1)
    assert place.mask.sum() >= 0.7 * mask.sum()
    assert not (place.mask & mask).any()


def test_a_hole_too_large_to_move_is_tried_smaller() -> None:
    mask = _box(20, 30, 120, 180)
    found = places.find(_two_textures(), mask, 2)
    assert all(0 < place.mask.sum() <= 0.3 * mask.sum() and not (place.mask & mask).any() for place in found)


def test_a_mask_of_everything_is_refused() -> None:
    with pytest.raises(InpaintError, match="paint less"):
        places.find(_two_textures(), np.ones((160, 240), bool), 2)
