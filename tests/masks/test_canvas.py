"""Masks that users bring: layers, files, boxes, and scaling."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from inpaint_core import masks
from inpaint_core.errors import InpaintError


def layer(painted: np.ndarray, alpha: int = 127, colour: tuple[int, int, int] = (255, 45, 85)) -> np.ndarray:
    rgba = np.zeros((*painted.shape, 4), dtype=np.uint8)
    rgba[painted] = (*colour, alpha)
    return rgba


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
    assert len(rows) <= -(-new_height // height) + 1, "and did not grow"


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
