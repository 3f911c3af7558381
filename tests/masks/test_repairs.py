"""What is wrong with a mask is found, repaired on demand, and refused where nothing can be filled."""

from __future__ import annotations

import subprocess
import sys

import cv2
import numpy as np
import pytest
from PIL import Image

from inpaint_core import masks
from inpaint_core.errors import InpaintError


def test_a_sound_mask_has_no_findings(hole):
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


def test_a_thin_diagonal_outline_is_closed():
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
    assert masks.diagnose(nothing).reasons == ("The mask is empty: paint over what should be removed.",)
    assert "covers everything" in masks.diagnose(~nothing).reasons[0]


def test_soft_masks_are_recognised_but_not_jpeg_noise(hole):
    grey = hole.astype(np.uint8) * 250 + 3
    assert not masks.diagnose(grey).soft
    assert masks.diagnose(cv2.GaussianBlur(grey, (0, 0), 2)).soft


@pytest.mark.parametrize("wrong", [{"dilate": -1}, {"remove_specks": -3}])
def test_negative_repairs_are_refused(hole, wrong):
    with pytest.raises(InpaintError):
        masks.repair(hole, **wrong)


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
