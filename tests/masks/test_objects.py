"""Select object: a scribble, a closed line and a box mean the object that they are drawn on or around."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from inpaint_core import InpaintError, masks

HEIGHT, WIDTH = 300, 420


@pytest.fixture(scope="module")
def photo() -> tuple[np.ndarray, np.ndarray]:
    """Two green leaves on sand, uint8 300 x 420 x 3, and where the first of them is."""
    rng = np.random.default_rng(0)
    pixels = np.array((194, 170, 130)) + rng.normal(0, 10, (HEIGHT, WIDTH, 1)) * np.ones(3)
    leaf, other = np.zeros((2, HEIGHT, WIDTH), np.uint8)
    cv2.ellipse(leaf, (140, 150), (70, 40), 30, 0, 360, 1, -1)
    cv2.ellipse(other, (340, 80), (40, 30), 0, 0, 360, 1, -1)
    for each in (leaf, other):
        pixels[each > 0] = np.array((60, 120, 50)) + rng.normal(0, 14, (int(each.sum()), 3))
    return cv2.GaussianBlur(pixels.clip(0, 255).astype(np.uint8), (0, 0), 1), leaf > 0


ANGLES = np.linspace(0, 2 * np.pi, 30)
LOOP = np.stack([140 + 95 * np.cos(ANGLES), 150 + 80 * np.sin(ANGLES)], axis=1)
LINES = {
    "scribble": ([(110, 130), (150, 140), (130, 160), (170, 170)], False),
    "loop": (LOOP.tolist(), False),
    "box": ([(60, 80), (225, 215)], True),
}


@pytest.mark.parametrize("name", LINES)
def test_the_line_means_the_object_and_no_other_of_its_colour(photo: tuple[np.ndarray, np.ndarray], name: str) -> None:
    image, leaf = photo
    points, box = LINES[name]
    hint, around = masks.object_hint(points, HEIGHT, WIDTH, box=box)
    assert around == (name != "scribble")
    found = masks.select_object(image, hint, around)
    assert (found & leaf).sum() / (found | leaf).sum() > 0.9
    assert not found[:, 290:].any()
    grown = masks.select_object(image, hint, around, grow=5)
    assert not (found & ~grown).any()
    assert (grown & leaf).sum() / leaf.sum() > 0.995
    assert np.array_equal(found, masks.select_object(image, hint, around))  # the same each time


def test_where_nothing_stands_out_the_line_itself_counts() -> None:
    flat = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
    hint, around = masks.object_hint(LOOP.tolist(), HEIGHT, WIDTH)
    found = masks.select_object(flat, hint, around)
    assert (found & hint).sum() > 0.25 * hint.sum()
    scribble, _ = masks.object_hint([(50, 50)], HEIGHT, WIDTH)
    assert masks.select_object(flat, scribble)[scribble].all()


def test_what_is_no_line_on_the_photo_is_refused(photo: tuple[np.ndarray, np.ndarray]) -> None:
    for points in ([], [(1, 2, 3)], [(float("nan"), 1)], [("a", "b")], [(1,), (1, 2)]):
        with pytest.raises(InpaintError, match="list of its places"):
            masks.object_hint(points, HEIGHT, WIDTH)
    with pytest.raises(InpaintError, match="beside the photo"):
        masks.object_hint([(-90, -80), (-50, -70)], HEIGHT, WIDTH, box=True)
    with pytest.raises(InpaintError, match="scribble on it"):
        masks.select_object(photo[0], np.zeros((HEIGHT, WIDTH), bool))
