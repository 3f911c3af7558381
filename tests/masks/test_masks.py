"""Masks that users bring: layers, files, boxes, scaling, diagnosis and repair."""

from __future__ import annotations

import subprocess
import sys

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from inpaint_core import masks
from inpaint_core.errors import InpaintError


@pytest.fixture
def hole() -> np.ndarray:
    """A disc and a bar in a 60 x 80 picture."""
    picture = np.zeros((60, 80), dtype=np.uint8)
    cv2.circle(picture, (25, 30), 12, 1, -1)
    cv2.rectangle(picture, (50, 10), (70, 20), 1, -1)
    return picture > 0


def layer(painted: np.ndarray, alpha: int = 127, colour: tuple[int, int, int] = (255, 45, 85)) -> np.ndarray:
    rgba = np.zeros((*painted.shape, 4), dtype=np.uint8)
    rgba[painted] = (*colour, alpha)
    return rgba


# Layers


def test_half_opaque_paint_counts_as_painted(hole):
    assert np.array_equal(masks.from_layers([layer(hole, alpha=127)]), hole)
    assert np.array_equal(masks.from_layers([Image.fromarray(layer(hole, alpha=1))]), hole)


def test_layers_are_united_and_untouched_ones_skipped(hole):
    other = np.roll(hole, 7, axis=0)
    assert np.array_equal(masks.from_layers([layer(hole), None, layer(other)]), hole | other)


@pytest.mark.parametrize(
    ("layers", "words"),
    [
        ([], "load a photo"),
        ([None], "load a photo"),
        ([np.zeros((4, 4, 3), np.uint8)], "RGBA"),
        ([np.zeros((4, 4, 4), np.uint8), np.zeros((4, 5, 4), np.uint8)], "one size, not 4 x 4 and 5 x 4"),
    ],
)
def test_layers_that_are_none_are_refused(layers, words):
    with pytest.raises(InpaintError, match=words):
        masks.from_layers(layers)


# Files


def as_files(hole: np.ndarray) -> dict[str, np.ndarray | Image.Image]:
    grey = hole.astype(np.uint8) * 255
    opaque = np.full_like(grey, 255)
    rng = np.random.default_rng(0)
    photo = rng.integers(0, 256, (*hole.shape, 3), dtype=np.uint8)
    return {
        "bool": hole,
        "grey": grey,
        "zeros and ones": hole.astype(np.uint8),
        "float": hole.astype(np.float32),
        "sixteen bit": hole.astype(np.uint16) * 65535,
        "thirty-two bit from PIL": hole.astype(np.int32) * 65535,
        "one channel": grey[..., None],
        "RGB": np.stack([grey] * 3, axis=-1),
        "red on black": np.stack([grey, 0 * grey, 0 * grey], axis=-1),
        "opaque RGBA": np.stack([grey, grey, grey, opaque], axis=-1),
        "black paint on nothing": np.stack([0 * grey, 0 * grey, 0 * grey, grey], axis=-1),
        "half opaque paint on nothing": layer(hole),
        "white on nothing": np.stack([grey, grey, grey, grey], axis=-1),
        "grey and alpha": np.stack([opaque, grey], axis=-1),
        "photo with an erased hole": np.dstack([photo, 255 - grey]),
        "PIL 1": Image.fromarray(grey).convert("1"),
        "PIL P": Image.fromarray(grey).convert("P"),
        "PIL LA": Image.fromarray(np.stack([grey, opaque], axis=-1)),
        "PIL CMYK": Image.fromarray(np.stack([grey] * 3, axis=-1)).convert("CMYK"),
    }


@pytest.mark.parametrize("kind", as_files(np.eye(4, dtype=bool)))
def test_every_kind_of_mask_file_gives_the_same_hole(kind, hole):
    assert np.array_equal(masks.from_file(as_files(hole)[kind]), hole)


def test_black_and_white_strokes_on_nothing_are_distinguished(hole):
    rgba = layer(hole, alpha=255, colour=(255, 255, 255))
    rgba[40:58, 50:78] = (0, 0, 0, 255)
    assert np.array_equal(masks.from_file(rgba), hole)


def test_soft_masks_are_cut_at_half():
    ramp = np.arange(256, dtype=np.uint8)[None]
    assert masks.from_file(ramp).sum() == 128
    assert masks.from_file(ramp / np.float32(255)).sum() == 128
    assert masks.from_file(ramp.astype(np.uint16) * 257).sum() == 128


def test_a_jpeg_round_trip_keeps_the_hole(hole):
    from io import BytesIO

    big = masks.resize(hole, 240, 320)
    file = BytesIO()
    Image.fromarray(big.astype(np.uint8) * 255).save(file, "JPEG", quality=80)
    read = masks.from_file(Image.open(file))
    assert (read != big).mean() < 0.005
    assert not masks.diagnose(np.asarray(Image.open(file))).looks_inverted


@pytest.mark.parametrize(
    "broken",
    [
        np.zeros((0, 4)),
        np.zeros((2, 2, 5), np.uint8),
        np.zeros(7, np.uint8),
        np.full((3, 3), np.nan),
        np.full((3, 3), -1),
        np.array([["a"]]),
    ],
)
def test_arrays_that_are_no_picture_are_refused(broken):
    with pytest.raises(InpaintError):
        masks.from_file(broken)


# Boxes


def test_a_box_is_cut_at_the_border():
    mask = masks.from_box((-5, 2, 10, 100), 20, 30)
    assert mask[2:, :5].all()
    assert mask.sum() == 18 * 5


def test_a_fraction_of_a_pixel_takes_the_whole():
    assert masks.from_box((1.5, 1.5, 1, 1), 5, 5).sum() == 4


@pytest.mark.parametrize("box", [(40, 0, 5, 5), (0, 0, 0, 5), (0, 0, 5, -1), (1, 2, 3), (0, 0, float("nan"), 4)])
def test_boxes_without_area_inside_are_refused(box):
    with pytest.raises(InpaintError):
        masks.from_box(box, 20, 30)


# Scaling


@settings(deadline=None, max_examples=60, derandomize=True)
@given(st.data())
def test_no_painted_pixel_is_lost_in_scaling(data):
    size = st.integers(1, 40)
    height, width, new_height, new_width = (data.draw(size) for _ in range(4))
    y, x = data.draw(st.integers(0, height - 1)), data.draw(st.integers(0, width - 1))
    mask = np.zeros((height, width), dtype=bool)
    mask[y, x] = True
    scaled = masks.resize(mask, new_height, new_width)
    assert scaled.shape == (new_height, new_width)
    assert scaled.any()
    assert masks.resize(scaled, height, width)[y, x], "back at the first size the pixel is still covered"
    rows, columns = np.flatnonzero(scaled.any(axis=1)), np.flatnonzero(scaled.any(axis=0))
    assert rows[0] <= (y + 0.5) * new_height / height <= rows[-1] + 1, "the hole stayed where it was"
    assert columns[0] <= (x + 0.5) * new_width / width <= columns[-1] + 1
    assert len(rows) <= -(-new_height // height) + 1, "and did not swell"


def test_whole_multiples_repeat_pixels_exactly(hole):
    larger = masks.resize(hole, 180, 160)
    assert np.array_equal(larger, hole.repeat(3, axis=0).repeat(2, axis=1))
    assert np.array_equal(masks.resize(larger, 60, 80), hole)


def test_a_thin_stroke_survives_from_photo_to_canvas_and_back():
    photo = np.zeros((300, 400), np.uint8)
    cv2.line(photo, (3, 3), (390, 280), 255, 1)
    small = masks.resize(photo, 110, 147)
    assert masks.diagnose(small).holes == 1
    assert (masks.resize(small, 300, 400) >= (photo > 0)).all()


# Diagnosis and repair


def test_a_healthy_mask_gives_no_reason_to_worry(hole):
    found = masks.diagnose(hole)
    assert (found.height, found.width, found.holes, found.specks, found.loops) == (60, 80, 2, 0, 0)
    assert found.share == hole.mean()
    assert not found.soft
    assert not found.looks_inverted
    assert found.reasons == ()


@pytest.mark.parametrize("name", masks.GENERATORS)
def test_real_masks_do_not_look_inverted(name):
    for seed in range(15):
        assert not masks.diagnose(masks.generate(name, 96, 128, seed=seed)).looks_inverted


@pytest.mark.parametrize("name", ["free_form", "box", "deepfill", "centre", "narrow"])
def test_exchanged_masks_look_inverted(name):
    found = [masks.diagnose(~masks.generate(name, 96, 128, seed=seed)) for seed in range(15)]
    assert sum(one.looks_inverted for one in found) >= 13
    suspect = next(one for one in found if one.looks_inverted)
    assert any("exchanged" in reason for reason in suspect.reasons)


def test_inverting_repairs_an_inverted_mask(hole):
    assert masks.diagnose(~hole).looks_inverted
    assert np.array_equal(masks.repair(~hole, invert=True), hole)


def test_an_outline_becomes_a_filled_hole():
    outline = np.zeros((100, 120), np.uint8)
    cv2.circle(outline, (60, 50), 30, 255, 2)
    found = masks.diagnose(outline)
    assert found.loops == 1
    assert any("close the loops" in reason for reason in found.reasons)
    filled = masks.repair(outline, close_loops=True)
    disc = np.zeros_like(outline)
    cv2.circle(disc, (60, 50), 30, 255, 2)
    cv2.circle(disc, (60, 50), 30, 255, -1)
    assert np.array_equal(filled, disc > 0)


def test_only_enclosed_regions_are_closed():
    drawn = np.zeros((100, 120), np.uint8)
    cv2.ellipse(drawn, (60, 50), (30, 30), 0, 20, 340, 255, 3)  # an open C
    cv2.line(drawn, (0, 30), (30, 0), 255, 3)  # cuts off a corner of the picture
    assert np.array_equal(masks.repair(drawn, close_loops=True), drawn > 0)
    assert masks.diagnose(drawn).loops == 0


def test_a_thin_diagonal_outline_holds_tight():
    diamond = np.zeros((30, 30), dtype=bool)
    for i in range(10):
        for y, x in ((5 + i, 15 + i), (15 + i, 24 - i), (24 - i, 14 - i), (14 - i, 6 + i)):
            diamond[y, x] = True
    assert masks.repair(diamond, close_loops=True)[15, 15]


def test_specks_below_the_limit_vanish_and_the_rest_stays(hole):
    dirty = hole.copy()
    dirty[2, 2] = dirty[55, 70] = dirty[56, 71] = True
    assert masks.diagnose(dirty).specks == 1, "two pixels touching at a corner are one piece of two"
    assert np.array_equal(masks.repair(dirty, remove_specks=3), hole)
    assert np.array_equal(masks.repair(dirty, remove_specks=2), dirty & ~(np.arange(80) == 2))


@pytest.mark.parametrize("radius", [1, 2.5, 7, 40])
def test_dilation_adds_every_pixel_within_the_radius(radius):
    point = np.zeros((61, 51), dtype=bool)
    point[30, 5] = True
    y, x = np.mgrid[:61, :51]
    assert np.array_equal(masks.repair(point, dilate=radius), (y - 30) ** 2 + (x - 5) ** 2 <= radius**2)


def test_repair_leaves_its_input_alone(hole):
    before = hole.copy()
    masks.repair(hole, close_loops=True, remove_specks=500, dilate=5)
    assert np.array_equal(hole, before)
    same = masks.repair(hole)
    same[:] = True
    assert np.array_equal(hole, before)


def test_repairs_of_nothing_stay_nothing():
    nothing = np.zeros((5, 6), dtype=bool)
    assert not masks.repair(nothing, close_loops=True, remove_specks=4, dilate=3).any()
    assert masks.diagnose(nothing).reasons == ("The mask is empty: paint over what shall go.",)
    assert "covers everything" in masks.diagnose(~nothing).reasons[0]


def test_soft_masks_are_recognised_but_not_jpeg_noise(hole):
    grey = hole.astype(np.uint8) * 250 + 3
    assert not masks.diagnose(grey).soft
    assert masks.diagnose(cv2.GaussianBlur(grey, (0, 0), 2)).soft


@pytest.mark.parametrize("wrong", [{"dilate": -1}, {"remove_specks": -3}])
def test_negative_repairs_are_refused(hole, wrong):
    with pytest.raises(InpaintError):
        masks.repair(hole, **wrong)


# The check


@pytest.mark.parametrize(
    ("mask", "words"),
    [
        (np.ones((5, 6), bool), "covers the whole image"),
        (np.zeros((5, 6), bool), "empty"),
        (np.eye(7, dtype=bool), "7 x 7 pixels but the image 6 x 5"),
        (np.zeros((5, 6, 1), np.uint8), "height x width"),
        (np.full((5, 6), np.nan), "NaN"),
        (np.full((5, 6), "x"), "numbers"),
        (np.zeros((0, 0)), "height x width"),
    ],
)
def test_a_mask_that_cannot_be_filled_is_refused_in_one_sentence(mask, words):
    with pytest.raises(InpaintError, match=words) as caught:
        masks.check(mask, 5, 6)
    assert str(caught.value).count(".") == 1
    assert str(caught.value).endswith(".")


def test_a_good_mask_passes_as_bool(hole):
    for mask in (
        hole,
        hole.astype(np.uint8),
        hole.astype(np.uint8) * 255,
        hole.astype(np.float32),
        Image.fromarray(hole),
    ):
        passed = masks.check(mask, 60, 80)
        assert passed.dtype == bool
        assert np.array_equal(passed, hole)


def test_repairing_masks_does_not_load_torch():
    code = "import sys; from inpaint_core import masks; masks.repair; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_twelve_megapixels_are_repaired_in_time():
    import time

    mask = np.zeros((3000, 4000), np.uint8)
    cv2.ellipse(mask, (2000, 1500), (900, 600), 30, 0, 360, 255, 40)
    start = time.perf_counter()
    masks.diagnose(mask)
    repaired = masks.repair(mask, close_loops=True, remove_specks=50, dilate=30)
    masks.check(repaired, 3000, 4000)
    assert time.perf_counter() - start < 5, "some 0.4 s on a quiet machine"
