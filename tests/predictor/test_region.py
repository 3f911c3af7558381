"""A photo cut to the region that a fill reads is filled exactly as the whole one."""

from __future__ import annotations

import numpy as np
import pytest

from inpaint_core import InpaintError, catalogue
from inpaint_core.masks.boxes import Box
from inpaint_core.predictor import FillOptions, fill, region

ONE, CORNER, SEVERAL = (
    ((200, 260, 60, 40),),
    ((0, 0, 50, 30),),
    ((100, 90, 20, 60), (180, 120, 30, 30), (20, 300, 9, 9)),
)
CASES = [
    ("telea", FillOptions(), ONE),
    ("ns", FillOptions(blend="mixed"), SEVERAL),
    ("ns", FillOptions(blend="poisson"), CORNER),
    ("telea", FillOptions(refine="patchmatch"), ONE),
    ("deepfill_v2", FillOptions(), CORNER),
    ("glcic", FillOptions(seed=3), SEVERAL),
    ("deepfill_v1_mosaic", FillOptions(), ONE),
]


def holes(*rectangles: tuple[int, int, int, int], size: tuple[int, int] = (512, 512)) -> np.ndarray:
    mask = np.zeros(size, bool)
    for top, left, height, width in rectangles:
        mask[top : top + height, left : left + width] = True
    return mask


@pytest.mark.parametrize(("method", "options", "rectangles"), CASES)
def test_a_part_is_filled_as_the_whole(astronaut, method, options, rectangles) -> None:
    if not catalogue.get(method).ready:
        pytest.skip(f"no weights of {method} here")
    mask = holes(*rectangles)
    box = region(mask, method, options)
    assert box.area < mask.size
    whole = fill(astronaut, mask, method, options).image
    part = fill(astronaut[box.slices], mask[box.slices], method, options).image
    assert part is not None
    assert whole is not None
    assert np.array_equal(part, whole[box.slices])


def test_holes_that_would_be_grouped_differently_need_the_whole_photo() -> None:
    """On a large photo holes are grouped by cells of several pixels, on a part of it by single ones."""
    random = np.random.default_rng(0)
    mask = np.zeros((4096, 4096), bool)
    mask[random.integers(1000, 3000, 300), random.integers(1000, 3000, 300)] = True
    assert region(mask, "telea") == Box(0, 0, 4096, 4096)


def test_the_region_is_small_on_a_large_photo_and_names_a_bad_method() -> None:
    mask = holes((1500, 2000, 100, 80), size=(3000, 4000))
    box = region(mask, "telea", FillOptions(refine="patchmatch"))
    assert mask[box.slices].sum() == mask.sum()
    assert box.area < mask.size / 20
    with pytest.raises(InpaintError, match="nothing"):
        region(mask, "nothing")
