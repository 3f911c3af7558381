"""Dabs of colour guide PatchMatch: the hole takes from the photo what has the colour painted there."""

from __future__ import annotations

import numpy as np
import pytest

import inpaint_core
from inpaint_core.errors import InpaintError

SIZE = 96


def two_walls() -> np.ndarray:
    """Grain, red in the left half and blue in the right one."""
    grain = np.random.default_rng(0).integers(0, 40, (SIZE, SIZE, 1))
    columns = np.arange(SIZE)[None, :, None]
    return (np.where(columns < SIZE // 2, (180, 20, 20), (20, 20, 180)) + grain).astype(np.uint8)


def square() -> np.ndarray:
    hole = np.zeros((SIZE, SIZE), bool)
    hole[28:68, 28:68] = True
    return hole


def dab(colour: tuple[int, int, int]) -> np.ndarray:
    """A dab over most of the hole's left and right half."""
    colours = np.zeros((SIZE, SIZE, 4), np.uint8)
    colours[36:60, 34:62] = (*colour, 255)
    return colours


@pytest.mark.parametrize(("colour", "channel"), [((190, 40, 40), 0), ((40, 40, 190), 2)])
def test_the_hole_gets_the_photo_s_pixels_of_the_colour_painted(colour: tuple[int, int, int], channel: int) -> None:
    image, hole, colours = two_walls(), square(), dab(colour)
    result = inpaint_core.inpaint(image, hole, "patchmatch", device="cpu", colours=colours).image
    assert result is not None
    assert np.array_equal(result[~hole], image[~hole])
    inside = result[40:56, 38:58]
    assert (inside.argmax(-1) == channel).mean() > 0.95
    assert inside.std(axis=(0, 1)).min() > 0.6 * image[:, : SIZE // 2].std(axis=(0, 1)).min()  # grain, not flat paint


def test_paint_outside_of_the_hole_changes_nothing() -> None:
    image, hole, colours = two_walls(), square(), np.zeros((SIZE, SIZE, 4), np.uint8)
    colours[:20] = 255
    fills = [
        inpaint_core.inpaint(image, hole, "patchmatch", device="cpu", colours=each).image for each in (None, colours)
    ]
    assert np.array_equal(*fills)


@pytest.mark.parametrize("shape", [(SIZE, SIZE, 3), (SIZE, SIZE - 1, 4), (SIZE, SIZE)])
def test_colours_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InpaintError, match="RGBA picture of the image's size, 96 x 96"):
        inpaint_core.inpaint(two_walls(), square(), "telea", colours=np.zeros(shape, np.uint8))


def test_a_method_that_ignores_colours_says_so() -> None:
    notes = inpaint_core.inpaint(two_walls(), square(), "telea", colours=dab((200, 0, 0))).details["notes"]
    assert any("does not follow colours" in note for note in notes)
