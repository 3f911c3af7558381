"""The canvas' tools, judged by pixels: rectangle, lasso, straight lines, colours, Select object."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.driving import choose_method, drag, fill, open_photo, painted, pixels, shown, trace, wait_for_undo


@pytest.fixture(scope="module")
def disc(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, np.ndarray]:
    """A photo of a speckled red disc on a bluish texture, 480 x 480, and where the disc is."""
    rng = np.random.default_rng(0)
    pixels = np.array((90, 120, 150)) + rng.normal(0, 12, (480, 480, 1)) + np.zeros((480, 480, 3))
    rows, columns = np.mgrid[:480, :480]
    inside = (rows - 230) ** 2 + (columns - 250) ** 2 < 90**2
    pixels[inside] = np.array((190, 60, 50)) + rng.normal(0, 14, (int(inside.sum()), 3))
    path = tmp_path_factory.mktemp("disc") / "disc.png"
    Image.fromarray(cv2.GaussianBlur(pixels.clip(0, 255), (0, 0), 0.8).astype(np.uint8)).save(path)
    return path, inside


def _overlap(one: np.ndarray, other: np.ndarray) -> float:
    return float((one & other).sum() / (one | other).sum())


def test_rectangle_lasso_and_shift_draw_what_they_say(page: Page, disc: tuple[Path, np.ndarray]) -> None:
    open_photo(page, disc[0])
    page.get_by_label("Rectangle").click()
    drag(page, (0.4, 0.3), (0.6, 0.5))
    mask = painted(page)
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    assert mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].all()
    assert 0.01 < mask.mean() < 0.3
    page.keyboard.press("Control+z")
    assert not painted(page).any()

    page.get_by_label("Lasso").click()
    trace(page, [(0.4, 0.2), (0.6, 0.2), (0.6, 0.6), (0.4, 0.6), (0.41, 0.25)])
    ring = painted(page)
    assert ring[240, 240]  # its inside, which no stroke has touched
    page.keyboard.down("Alt")
    trace(page, [(0.45, 0.3), (0.55, 0.3), (0.55, 0.5), (0.45, 0.5)])
    page.keyboard.up("Alt")
    assert painted(page).sum() < ring.sum()
    page.get_by_label("Clear canvas").click()

    for layer in ("Mask layer", "Sketch layer"):
        page.get_by_label(layer).click()
        page.get_by_label("Brush", exact=True).click()
        page.keyboard.down("Shift")
        trace(page, [(0.4, 0.4), (0.45, 0.8), (0.6, 0.4)])  # where the pointer went between does not matter
        page.keyboard.up("Shift")
        line = painted(page, layer.partition(" ")[0].lower())
        rows = np.flatnonzero(line.any(axis=1))
        assert line.any()
        assert np.ptp(rows) < 45


def test_a_scribble_a_loop_and_a_box_select_the_object(page: Page, disc: tuple[Path, np.ndarray]) -> None:
    path, inside = disc
    open_photo(page, path)
    page.get_by_label("Select object").click()
    width, height = page.locator(".easel-stage").evaluate("each => [each.clientWidth, each.clientHeight]")
    share = height / width  # the photo is square and as high as the stage
    at = [(0.5 + (x / 480 - 0.5) * share, y / 480) for x, y in ((220, 200), (280, 210), (220, 250), (280, 260))]
    angles = np.linspace(0, 2 * np.pi, 24)
    loop = [
        (0.5 + ((250 + 115 * np.cos(a)) / 480 - 0.5) * share, (230 + 115 * np.sin(a)) / 480) for a in angles.tolist()
    ]
    for places in (at, loop):
        trace(page, places)
        wait_for_undo(page)
        found = painted(page)
        assert _overlap(found, inside) > 0.85
        assert found[inside].mean() > 0.99  # the rim goes too
        page.keyboard.press("Control+z")
        assert not painted(page).any()
    page.keyboard.down("Shift")
    trace(page, [loop[15], loop[3]])
    page.keyboard.up("Shift")
    wait_for_undo(page)
    assert _overlap(painted(page), inside) > 0.85
    expect(page.locator(".easel-stage")).not_to_have_class("searching")


def test_a_dab_of_colour_is_what_the_fill_looks_like_there(page: Page, disc: tuple[Path, np.ndarray]) -> None:
    open_photo(page, disc[0])
    choose_method(page, "PatchMatch")
    page.get_by_label("Sketch layer").click()
    page.get_by_label("Pick a colour").click()
    page.locator(".easel-stage").click()  # in the middle of the disc
    assert page.locator("input[type=color]").input_value() != "#c0392b"
    drag(page, (0.75, 0.75), (0.78, 0.78))
    sent = page.evaluate("window.studio.strokes().colours")
    dabs = pixels(sent)
    dab = dabs[..., 3] > 127
    assert dabs[dab][:, 0].mean() > dabs[dab][:, 2].mean() + 60  # red, as the disc
    assert not painted(page, "sketch").any()  # and no edge
    page.get_by_label("Mask layer").click()
    page.get_by_label("Rectangle").click()
    drag(page, (0.68, 0.65), (0.85, 0.9))
    assert (dab & painted(page)).any()
    fill(page)
    after = shown(page).astype(int)
    core = cv2.erode(dab.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    assert (after[core][:, 0] - after[core][:, 2]).mean() > 40
    page.get_by_label("Undo", exact=True).click()
    page.get_by_label("Sketch layer").click()
    page.keyboard.press("Control+z")
    assert page.evaluate("window.studio.strokes().colours") is None
