"""Every hole pixel is in a crop with known pixels around, whatever the mask."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inpaint_core.masks.boxes import Box
from inpaint_core.predictor.crops import depth, grid_of, hole_boxes, plan_crops


@st.composite
def masks_of_rectangles(draw: st.DrawFn) -> np.ndarray:
    """Masks of 1 to 12 rectangles anywhere, the border included; neither empty nor full."""
    height, width = draw(st.integers(2, 300)), draw(st.integers(2, 300))
    mask = np.zeros((height, width), bool)
    for _ in range(draw(st.integers(1, 12))):
        top, left = draw(st.integers(0, height - 1)), draw(st.integers(0, width - 1))
        mask[top : top + draw(st.integers(1, 60)), left : left + draw(st.integers(1, 60))] = True
    if mask.all():
        mask[draw(st.integers(0, height - 1)), draw(st.integers(0, width - 1))] = False
    return mask


@given(masks_of_rectangles(), st.floats(0.05, 2), st.integers(1, 64), st.sampled_from([None, 64, 256]), st.booleans())
@settings(max_examples=150, deadline=None)
def test_every_hole_pixel_lies_in_a_hole_box_of_a_crop_that_sees_known_pixels(mask, margin, least, native, square):
    crops = plan_crops(mask, margin=margin, min_margin=least, native_size=native, square=square)
    covered = np.zeros_like(mask)
    for crop in crops:
        assert 0 <= crop.box.top < crop.box.bottom <= mask.shape[0]
        assert 0 <= crop.box.left < crop.box.right <= mask.shape[1]
        assert not mask[crop.box.slices].all()
        for hole in crop.holes:
            assert crop.box.union(hole) == crop.box
            covered[hole.slices] = True
    assert (covered | ~mask).all()


def test_far_holes_get_crops_of_their_own_and_near_ones_share_one():
    mask = np.zeros((1000, 1000), bool)
    mask[10:20, 10:20] = mask[980:990, 980:990] = True
    assert len(plan_crops(mask, margin=1.0, min_margin=16)) == 2
    mask[22:30, 22:30] = True
    assert len(plan_crops(mask, margin=1.0, min_margin=16)) == 2


def test_no_hole_pixel_belongs_to_two_crops():
    mask = np.zeros((600, 600), bool)
    mask[100:500, 100:110] = mask[490:500, 100:500] = True  # an L whose bounding box holds the next hole
    mask[200:220, 300:320] = True
    crops = plan_crops(mask, margin=0.1, min_margin=16)
    owners = np.zeros(mask.shape, int)
    for crop in crops:
        mine = np.zeros(mask.shape, int)
        for hole in crop.holes:
            mine[hole.slices] = 1
        owners += mine
    assert owners[mask].max() == 1


def test_a_thousand_specks_are_gathered_into_few_crops():
    mask = np.zeros((2000, 2000), bool)
    mask[::60, ::60] = True
    crops = plan_crops(mask, margin=1.0, min_margin=16)
    assert 1 <= len(crops) <= 64


def test_grouping_on_the_coarse_grid_keeps_boxes_tight():
    mask = np.zeros((4321, 3456), bool)
    mask[1237:1251, 2001:2100] = True
    assert hole_boxes(mask, near=16) == [Box(1237, 2001, 1251, 2100)]


def test_a_crop_at_the_corner_moves_inside_and_keeps_its_native_size():
    mask = np.zeros((500, 700), bool)
    mask[:5, -5:] = True
    (crop,) = plan_crops(mask, margin=1.0, min_margin=16, native_size=256)
    assert crop.box == Box(0, 444, 256, 700)


def test_the_depth_of_a_hole_is_that_of_its_middle_and_not_its_length() -> None:
    square, stroke = np.zeros((2, 200, 200), bool)
    square[40:160, 40:160] = True
    stroke[50:61, 10:190] = True
    assert depth(square) == pytest.approx(60, abs=1.5)
    assert depth(stroke) == pytest.approx(6, abs=0.5)


def test_a_cell_of_the_grid_is_a_hole_where_any_of_its_pixels_is():
    rng = np.random.default_rng(0)
    for height, width, cell in ((40, 60, 1), (40, 60, 4), (41, 63, 4), (5, 3, 7)):
        mask = rng.random((height, width)) > 0.95
        rows, columns = -(-height // cell), -(-width // cell)
        padded = np.pad(mask, ((0, rows * cell - height), (0, columns * cell - width)))
        assert np.array_equal(grid_of(mask, cell), padded.reshape(rows, cell, columns, cell).any(axis=(1, 3)))
