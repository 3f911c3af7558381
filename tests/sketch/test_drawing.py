"""Any drawing becomes thin lines, and what is no picture is refused."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import distance_transform_edt

from inpaint_core import InpaintError, inpaint, sketch
from tests.sketch.strokes import BLACK, TRUTH, WHITE, drawing, far, same_line


@pytest.mark.parametrize("width", [1, 2, 3, 5, 9, 15])
@pytest.mark.parametrize("smooth", [cv2.LINE_8, cv2.LINE_AA])
@pytest.mark.parametrize(
    ("ink", "paper"),
    [
        pytest.param(BLACK, WHITE, id="black on white"),
        pytest.param(WHITE, BLACK, id="white on black"),
        pytest.param((200, 30, 30), WHITE, id="red on white"),
        pytest.param((255, 255, 0), WHITE, id="yellow on white"),
        pytest.param((60, 60, 60), BLACK, id="dark grey on black"),
        pytest.param((0, 0, 0, 255), (0, 0, 0, 0), id="black on nothing"),
        pytest.param((20, 200, 90, 255), (0, 0, 0, 0), id="green on nothing"),
        pytest.param((255, 255, 255, 90), (255, 255, 255, 0), id="faint white on nothing"),
    ],
)
def test_any_stroke_becomes_the_same_thin_line(ink, paper, width: int, smooth: int) -> None:
    found = sketch.repair(drawing(width, ink, paper, smooth))
    assert found.dtype == bool
    assert found.shape == TRUTH.shape
    assert same_line(found, width / 2 + 2)  # ends and corners of a wide stroke are round
    assert not cv2.erode(found.astype(np.uint8), np.ones((3, 3), np.uint8)).any()  # nowhere wider than two pixels


def test_thin_lines_stay_as_they_are() -> None:
    assert np.array_equal(sketch.repair(TRUTH), TRUTH)
    assert np.array_equal(sketch.repair(TRUTH * np.uint8(255)), TRUTH)
    assert np.array_equal(sketch.repair(TRUTH.astype(np.float32)), TRUTH)
    assert np.array_equal(sketch.repair(TRUTH.astype(np.int64)), TRUTH)


def test_repairing_twice_is_repairing_once() -> None:
    once = sketch.repair(drawing(11))
    assert np.array_equal(sketch.repair(once), once)


def test_a_thin_line_that_touches_a_wide_one_is_not_lost() -> None:
    canvas = drawing(13)
    cv2.circle(canvas, (90, 90), 40, BLACK, 1)
    ring = np.zeros(TRUTH.shape, np.uint8)
    cv2.circle(ring, (90, 90), 40, 1, 1)
    alone = (ring > 0) & (distance_transform_edt(drawing(13)[..., 0] > 0) > 3)
    assert far(alone, sketch.repair(canvas)) <= 1


def test_a_jpegs_noise_is_no_stroke() -> None:
    encoded = cv2.imencode(".jpg", drawing(3, smooth=cv2.LINE_AA), [cv2.IMWRITE_JPEG_QUALITY, 60])[1]
    assert same_line(sketch.repair(np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR))))


@pytest.mark.parametrize("level", [0, 3, 128, 255])
def test_empty_paper_holds_no_strokes(level: int) -> None:
    assert not sketch.repair(np.full((20, 30, 3), level, np.uint8)).any()
    assert not sketch.repair(np.full((20, 30, 4), (level, level, level, 0), np.uint8)).any()
    assert not sketch.repair(np.zeros((20, 30), bool)).any()


def test_the_alpha_of_an_opaque_picture_says_nothing() -> None:
    assert same_line(sketch.repair(drawing(1, (0, 0, 0, 255), (255, 255, 255, 255))))


def test_pil_pictures_of_every_mode_are_read() -> None:
    picture = Image.fromarray(drawing(1, BLACK, WHITE))
    for mode in ("RGB", "L", "1", "P", "RGBA", "CMYK", "I;16"):
        converted = picture.convert("L").convert("I;16") if mode == "I;16" else picture.convert(mode)
        assert same_line(sketch.repair(converted)), mode


def test_a_drawing_can_be_brought_to_another_size_without_losing_lines() -> None:
    small = sketch.repair(TRUTH, (40, 50))
    assert small.shape == (40, 50)
    seen = cv2.resize(small.astype(np.uint8), (200, 160), interpolation=cv2.INTER_NEAREST) > 0
    assert far(TRUTH, seen) <= 4
    assert sketch.repair(TRUTH, (320, 400)).shape == (320, 400)


@pytest.mark.parametrize(
    "strokes", [np.zeros(5), np.zeros((4, 4, 7)), np.zeros((0, 4)), np.full((4, 4), np.nan), np.full((4, 4), "x")]
)
def test_what_is_no_picture_is_refused_in_a_sentence(strokes: np.ndarray) -> None:
    with pytest.raises(InpaintError, match="sketch"):
        sketch.repair(strokes)


@pytest.mark.parametrize("scale", [0.9, 0.5, 0.31, 0.1])
def test_a_line_at_the_photos_scale_survives_what_fill_does_to_it(scale: float) -> None:
    """`one_crop.py` averages areas and cuts at a quarter of the scale."""
    for angle in range(0, 180, 15):
        lines = np.zeros((400, 400), np.uint8)
        reach = np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))]) * 180
        ends = [tuple(int(v) for v in np.array([200.5, 200.5]) + sign * reach) for sign in (-1, 1)]
        cv2.line(lines, ends[0], ends[1], (1,), 1)
        side = round(400 * scale)
        kept = cv2.resize(lines.astype(np.float32), (side, side), interpolation=cv2.INTER_AREA) > 0.25 * scale
        seen = cv2.resize(kept.astype(np.uint8), (400, 400), interpolation=cv2.INTER_NEAREST) > 0
        assert far(lines > 0, seen) <= 1.5 / scale  # no gap of a pixel of the small picture, across


def test_a_sketch_in_any_polarity_is_the_same_sketch() -> None:
    size = TRUTH.shape
    expected = sketch.as_sketch(TRUTH, size)
    for strokes in (drawing(), drawing(1, WHITE, BLACK), Image.fromarray(drawing(1, (9, 9, 9, 255), (0, 0, 0, 0)))):
        assert np.array_equal(sketch.as_sketch(strokes, size), expected)
    with pytest.raises(InpaintError, match="size"):
        sketch.as_sketch(TRUTH, (10, 10))


def test_nonsense_sketches_change_no_known_pixel() -> None:
    generator = np.random.default_rng(0)
    image = generator.integers(0, 255, (64, 64, 3), np.uint8)
    hole = np.zeros((64, 64), bool)
    hole[20:40, 20:40] = True
    noise = generator.random((64, 64)) > 0.5, generator.integers(0, 255, (64, 64, 3), np.uint8)
    for nonsense in (np.ones((64, 64)), *noise):
        filled = inpaint(image, hole, "ns", nonsense).image
        assert filled is not None
        assert np.array_equal(filled[~hole], image[~hole])
