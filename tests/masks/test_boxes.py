"""Rectangles: tight around a hole, grown to the border and no further."""

from __future__ import annotations

import numpy as np
import pytest

from inpaint_core.masks.boxes import Box, bounding_box


def test_the_bounding_box_of_a_mask_holds_its_pixels_and_no_more() -> None:
    mask = np.zeros((30, 40), bool)
    mask[3, 7] = mask[20, 31] = True
    assert bounding_box(mask) == Box(3, 7, 21, 32)
    assert bounding_box(mask[3:4, 7:8]) == Box(0, 0, 1, 1)


def test_an_empty_mask_has_no_bounding_box() -> None:
    with pytest.raises(ValueError, match="empty"):
        bounding_box(np.zeros((3, 4), bool))


def test_a_grown_box_stops_at_its_limit() -> None:
    assert Box(3, 4, 5, 6).grown(2, limit=Box(0, 0, 9, 9)) == Box(1, 2, 7, 8)
    assert Box(3, 4, 5, 6).grown(20, limit=Box(0, 0, 9, 8)) == Box(0, 0, 9, 8)


def test_the_slices_of_a_box_cut_it_out() -> None:
    picture = np.arange(63).reshape(7, 9)
    box = Box(1, 2, 4, 8)
    assert picture[box.slices].shape == (box.height, box.width)
    assert picture[box.slices].size == box.area
    assert picture[box.slices][0, 0] == picture[1, 2]
