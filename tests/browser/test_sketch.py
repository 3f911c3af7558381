"""The Sketch layer in a real Chromium: a drawn line becomes an edge of the fill, auto edges come and go."""

from __future__ import annotations

import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from inpaint_core import catalogue
from inpaint_core import sketch as core
from tests.browser.conftest import PATIENCE
from tests.browser.driving import choose_method, download, drag, fill, open_photo, painted, pixels, wait_for_undo
from tests.waiting import until

needs_weights = pytest.mark.skipif(
    not catalogue.get("deepfill_v2").ready, reason="the weights of deepfill_v2, which follows sketches, are absent"
)


@pytest.fixture(scope="module")
def smooth(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A photo without any edge: a slow change of colour and a little noise, 256 x 256."""
    rows = np.linspace(0, 1, 256)[:, None, None]
    colours = np.array((150, 160, 190)) + rows * np.array((40, 30, -20)) + np.zeros((1, 256, 1))
    noise = np.random.default_rng(0).normal(0, 2, colours.shape)
    path = tmp_path_factory.mktemp("smooth") / "smooth.png"
    Image.fromarray((colours + noise).clip(0, 255).astype(np.uint8)).save(path)
    return path


def _steepness(image: np.ndarray, row: int, columns: slice) -> float:
    """The largest change of brightness across a row within two pixels of it, mean over the columns; levels a pixel."""
    brightness = cv2.GaussianBlur(image.astype(np.float32).mean(axis=2), (0, 0), 1)
    across = np.abs(np.gradient(brightness, axis=0))[row - 2 : row + 3, columns]
    return float(across.max(axis=0).mean())


@needs_weights
def test_a_line_on_the_sketch_becomes_an_edge_of_the_fill_and_is_none_without(
    page: Page,
    smooth: Path,
    tmp_path: Path,
) -> None:
    open_photo(page, smooth)
    choose_method(page, "DeepFill v2")
    page.locator(".easel-size input").fill("100")
    for row in (0.4, 0.5, 0.6):
        drag(page, (0.3, row), (0.7, row))
    fill(page)
    without = np.asarray(Image.open(download(page, "#save-original", tmp_path)))

    page.get_by_label("Undo", exact=True).click()  # of the fill: what it was made of is there again
    hole = painted(page)
    page.get_by_label("Sketch layer").click()
    drag(page, (0.25, 0.5), (0.75, 0.5))
    lines = painted(page, "sketch")
    fill(page)
    with_line = np.asarray(Image.open(download(page, "#save-original", tmp_path)))

    columns = slice(90, 166)
    row = round(float(np.flatnonzero(lines[:, columns].any(axis=1)).mean()))
    assert hole[row - 20 : row + 20, columns].all()
    edge, none = _steepness(with_line, row, columns), _steepness(without, row, columns)
    print(f"levels a pixel across the line: {edge:.2f} with the sketch, {none:.2f} without")
    assert edge > 4
    assert edge > 2.5 * none


def test_a_worked_example_brings_photo_mask_sketch_and_a_method_that_follows(page: Page) -> None:
    page.locator("#worked img").last.click()
    expect(page.locator("#about-photo")).to_contain_text("coffee.jpg")
    wait_for_undo(page)
    mask, lines = painted(page), painted(page, "sketch")
    assert 0.02 < mask.mean() < 0.1
    assert (lines & mask).sum() > 0.5 * lines.sum() > 0
    if catalogue.get("deepfill_v2").ready:
        expect(page.locator("#method input")).to_have_value(re.compile("PatchMatch|DeepFill v2"))
        page.locator("#fill-both").click()
        expect(page.locator(".easel-steps button")).to_have_text(
            ["Photo", re.compile("without the sketch"), re.compile("with the sketch")]
        )


def test_lines_outside_of_the_mask_are_dimmed(page: Page, smooth: Path) -> None:
    open_photo(page, smooth)
    page.get_by_label("Sketch layer").click()
    drag(page, (0.1, 0.5), (0.9, 0.5))
    until(lambda: bool(_lit(page).any()), PATIENCE / 1000)
    strokes, everything = painted(page, "sketch"), _lit(page)
    assert not (everything & ~strokes).any()
    assert everything.sum() > 0.4 * strokes.sum()  # nothing is masked yet, so only its rim is not lit
    page.get_by_label("Mask layer").click()
    drag(page, (0.5, 0.3), (0.5, 0.7))
    until(lambda: bool(0 < _lit(page).sum() < 0.5 * everything.sum()), PATIENCE / 1000)
    lit, mask = _lit(page), painted(page)
    assert np.array_equal(lit & mask, everything & mask)
    assert np.array_equal(painted(page, "sketch"), strokes)  # and nothing is lost


def _lit(page: Page) -> np.ndarray:
    """What is shown in full on the Sketch layer, bool H x W."""
    page.evaluate("new Promise(requestAnimationFrame)")  # it is drawn with the next frame
    shown = pixels(page.evaluate("""document.querySelector("canvas[data-layer=lit]").toDataURL("image/png")"""))
    return (shown[..., 3] > 127) & (shown[..., 0] < 127)  # dark, with a light rim around


def test_auto_edges_are_put_on_the_sketch_replaced_by_another_strength_and_undone(
    page: Page,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setattr(core, "edges", _steps)  # how good the trained detector is does not matter here
    photo = np.full((200, 300, 3), 90, np.uint8)
    photo[:, 150:] = 200
    photo[:, 220:] = 230  # a weaker step
    Image.fromarray(photo).save(tmp_path / "steps.png")
    open_photo(page, tmp_path / "steps.png")
    drag(page, (0.3, 0.5), (0.9, 0.5))
    page.get_by_label("Sketch layer").click()
    drag(page, (0.4, 0.45), (0.4, 0.55))
    by_hand = painted(page, "sketch")
    edges = _changed_by(page, page.get_by_label("Draw the photo's edges"))
    assert edges[by_hand].all()  # lines drawn by hand stay
    added = edges & ~by_hand
    assert added[:, 140:160].sum() > 0.4 * added.sum()  # at the step of the photo ...
    assert not added[:20].any()  # ... and not far away from the hole
    page.locator("#sketch-tools > button").first.click()
    number = page.locator("#edge-strength input[type=number]")
    expect(number).to_have_value("0.6")
    page.wait_for_timeout(700)  # the accordion opens: what is typed while it is being built would be lost
    number.fill("0.1")
    number.press("Enter")
    number.blur()  # what was typed counts from here on
    until(lambda: bool(painted(page, "sketch").sum() > edges.sum()), PATIENCE / 1000)
    page.keyboard.press("Control+z")
    assert np.array_equal(painted(page, "sketch"), by_hand)  # one step back, whatever strengths were tried
    page.keyboard.press("Control+z")
    assert not painted(page, "sketch").any()


def _changed_by(page: Page, button: Locator) -> np.ndarray:
    """What is painted on the Sketch layer once the button has changed it, bool H x W."""
    before = page.evaluate("window.studio.strokes().sketch")
    button.click()
    page.wait_for_function("before => window.studio.strokes().sketch !== before", arg=before, polling=300)
    return painted(page, "sketch")


def _steps(image: np.ndarray, device: str = "auto") -> np.ndarray:
    """A detector: how much the brightness changes from column to column, 110 levels = 1."""
    change = cv2.GaussianBlur(image.astype(np.float32).mean(axis=2), (0, 0), 1)
    return np.clip(np.abs(np.gradient(change, axis=1)) / 44, 0, 1)  # the blur spreads a step over 2.5 columns
