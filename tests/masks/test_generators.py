"""Random masks: never empty, never full, seeded, each another, of the share they promise, alike at every size."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from inpaint_core.errors import InpaintError
from inpaint_core.masks import GENERATORS, fields, generate, mosaic

RANDOM = sorted(set(GENERATORS) - {"centre"})
sides = st.integers(2, 70)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("name", GENERATORS)
@settings(deadline=None, max_examples=15, derandomize=True)
@given(count=st.integers(1, 5), height=sides, width=sides, seed=st.integers(0, 2**31))
def test_every_mask_is_binary_and_neither_empty_nor_full(name, count, height, width, seed):
    mask = GENERATORS[name](count, height, width, generator=seeded(seed))
    assert mask.shape == (count, 1, height, width)
    assert mask.dtype == torch.float32
    assert ((mask == 0) | (mask == 1)).all()
    holes = mask.sum(dim=(1, 2, 3))
    assert (holes >= 1).all()
    assert (holes <= height * width - 1).all()


@pytest.mark.parametrize("name", GENERATORS)
@pytest.mark.parametrize("size", [(2, 3), (1, 2), (31, 57), (128, 512), (257, 3)])
def test_odd_sizes_give_masks(name, size):
    mask = GENERATORS[name](3, *size, generator=seeded(5))
    assert mask.shape == (3, 1, *size)
    assert (mask.mean(dim=(1, 2, 3)) > 0).all()
    assert (mask.mean(dim=(1, 2, 3)) < 1).all()


@pytest.mark.parametrize("name", RANDOM)
def test_samples_differ_and_the_seed_repeats_them(name):
    draw = GENERATORS[name]
    first = draw(8, 64, 96, generator=seeded(3))
    assert torch.equal(first, draw(8, 64, 96, generator=seeded(3)))
    assert not torch.equal(first, draw(8, 64, 96, generator=seeded(4)))
    assert len({bytes(mask.numpy()) for mask in first}) == 8
    generator = seeded(3)
    draw(8, 64, 96, generator=generator)
    assert not torch.equal(first, draw(8, 64, 96, generator=generator)), "the second batch repeats the first"


@pytest.mark.parametrize(
    "ratio", [(0.01, 0.1), (0.1, 0.2), (0.2, 0.3), (0.3, 0.4), (0.4, 0.5), (0.5, 0.6), (0.25, 0.25)]
)
def test_irregular_masks_keep_their_range_exactly(ratio):
    shares = GENERATORS["irregular"](24, 96, 128, generator=seeded(1), ratio=ratio).mean(dim=(1, 2, 3))
    assert shares.min() >= ratio[0] - 1e-6
    assert shares.max() <= ratio[1] + 1e-6
    assert shares.std() > (ratio[1] - ratio[0]) / 8 or ratio[0] == ratio[1]


@settings(deadline=None, max_examples=40, derandomize=True)
@given(
    height=st.integers(8, 60),
    width=st.integers(8, 60),
    low=st.floats(0.01, 0.7),
    span=st.floats(0.03, 0.25),
    seed=st.integers(0, 2**31),
)
def test_any_range_of_shares_is_kept(height, width, low, span, seed):
    shares = generate("irregular", height, width, seed=seed, ratio=(low, low + span)).mean()
    assert low - 1e-6 <= shares <= low + span + 1e-6


def test_random_pixels_hide_the_share_asked_for():
    for share in (0.2, 0.8):
        mask = GENERATORS["random_pixels"](4, 128, 128, generator=seeded(), share=share)
        assert abs(mask.mean().item() - share) < 0.01


def test_centre_is_the_middle_half():
    mask = GENERATORS["centre"](2, 256, 256, generator=seeded())
    assert mask[:, :, 64:192, 64:192].all()
    assert mask.sum() == 2 * 128 * 128


def test_boxes_are_boxes_of_96_to_128_pixels_of_256():
    heights = []
    for mask in GENERATORS["box"](200, 256, 256, generator=seeded())[:, 0].bool():
        rows, columns = mask.any(dim=1).nonzero()[:, 0], mask.any(dim=0).nonzero()[:, 0]
        assert mask.sum() == len(rows) * len(columns)
        assert mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].all()
        heights.append(len(rows))
    assert min(heights) >= 96
    assert max(heights) <= 128
    assert len(set(heights)) == 17, "each side moves by the same 0 to 16 px"


def test_deepfill_masks_hold_a_box_and_strokes_of_the_same_seed():
    both = GENERATORS["deepfill"](16, 128, 128, generator=seeded(2))
    strokes = GENERATORS["free_form"](16, 128, 128, generator=seeded(2))
    assert (both >= strokes).all()
    assert both.mean() > strokes.mean() + 0.1


@pytest.mark.parametrize("name", ["free_form", "box", "deepfill", "irregular", "narrow", "wide"])
def test_masks_look_alike_at_every_size(name):
    shares = [GENERATORS[name](100, size, size, generator=seeded(7)).mean().item() for size in (64, 128, 256)]
    assert max(shares) - min(shares) < 0.04, shares


def test_strokes_are_mirrored_so_no_side_is_preferred():
    mean = GENERATORS["free_form"](600, 64, 64, generator=seeded())[:, 0].mean(dim=0)
    assert abs(mean[:, :32].mean() - mean[:, 32:].mean()) < 0.03
    assert abs(mean[:32].mean() - mean[32:].mean()) < 0.03


def test_narrow_holes_are_thinner_than_wide_ones():
    from scipy.ndimage import distance_transform_edt as depth

    deepest = {name: np.median([depth(m).max() for m in _some(name)]) for name in ("narrow", "wide")}
    assert deepest["narrow"] < 14
    assert deepest["wide"] > 25
    assert all(mask.mean() <= 0.5 for name in deepest for mask in _some(name))


def _some(name: str) -> np.ndarray:
    return np.pad(GENERATORS[name](40, 256, 256, generator=seeded(1))[:, 0].numpy(), ((0, 0), (1, 1), (1, 1)))


def test_a_stroke_is_what_a_round_brush_paints():
    start, end = torch.tensor([[[[20.0, 10.0]]]]), torch.tensor([[[[44.0, 50.0]]]])
    exact = np.zeros((64, 64), dtype=bool)
    for y in range(64):
        for x in range(64):
            t = np.clip(((y - 20) * 24 + (x - 10) * 40) / (24**2 + 40**2), 0, 1)
            exact[y, x] = math.hypot(y - 20 - 24 * t, x - 10 - 40 * t) <= 6.1
    radius = torch.tensor([[6.1]])  # not 6: no pixel lies just on the edge, where rounding decides
    for step in (1, 2, 4):
        drawn = fields.capsules(start, end, radius, 64, 64, step)[0] <= 0
        assert (drawn.numpy() != exact).sum() <= (0 if step == 1 else 0.03 * exact.sum()), step
        windowed = fields.windows(
            start[0, 0], end[0, 0], radius[0], torch.zeros(1, dtype=torch.long), (1, 64, 64), step
        )
        assert torch.equal(windowed[0] <= 0, drawn)


def test_least_takes_exactly_the_smallest_pixels():
    field = torch.randn(4, 30, 41, generator=seeded())
    pixels = torch.tensor([1, 17, 600, 1229])
    expected = field.flatten(1).argsort(dim=1).argsort(dim=1) < pixels[:, None]
    assert torch.equal(fields.least(field, pixels).flatten(1), expected)
    assert fields.least(torch.zeros(4, 30, 41), pixels).sum(dim=(1, 2)).tolist() == pixels.tolist()


def test_one_mask_by_name_is_numpy_and_seeded():
    mask = generate("free_form", 64, 80, seed=3)
    assert mask.shape == (64, 80)
    assert mask.dtype == bool
    assert np.array_equal(mask, generate("free_form", 64, 80, seed=3))
    assert not np.array_equal(mask, generate("free_form", 64, 80, seed=4))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: generate("blob", 8, 8), "free_form"),
        (lambda: generate("box", 1, 1), "at least two pixels"),
        (lambda: GENERATORS["box"](0, 8, 8, generator=seeded()), "at least one mask"),
        (lambda: generate("irregular", 8, 8, ratio=(0.5, 0.4)), "range"),
        (lambda: generate("random_pixels", 8, 8, share=1.0), "between 0 and 1"),
        (lambda: mosaic(torch.zeros(1, 3, 8, 8), torch.ones(1, 1, 8, 8), block=0), "one pixel"),
        (lambda: mosaic(torch.zeros(1, 3, 8, 8), torch.ones(1, 1, 8, 9)), "one size"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_words(call, words):
    with pytest.raises(InpaintError, match=words):
        call()


def test_a_mosaic_shows_block_means_inside_the_hole_only():
    image = torch.rand(2, 3, 20, 27, generator=seeded())
    mask = GENERATORS["box"](2, 20, 27, generator=seeded())
    censored = mosaic(image, mask, block=8)
    known = (mask == 0).expand_as(image)
    assert torch.equal(censored[known], image[known])
    everywhere = mosaic(image, torch.ones_like(mask), block=8)
    assert torch.allclose(everywhere[:, :, 3, 12], image[:, :, :8, 8:16].mean(dim=(2, 3)))
    assert torch.allclose(everywhere[:, :, 19, 26], image[:, :, 16:, 24:].mean(dim=(2, 3))), (
        "the cut block at the corner"
    )


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("name", GENERATORS)
def test_a_seed_gives_the_same_masks_on_the_gpu(name):
    on_cpu = GENERATORS[name](4, 128, 128, generator=seeded(9))
    on_gpu = GENERATORS[name](4, 128, 128, generator=seeded(9), device="cuda")
    assert on_gpu.device.type == "cuda"
    assert (on_gpu.cpu() != on_cpu).float().mean() < 1e-3
