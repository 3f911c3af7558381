"""The page in a real Chromium: paint, fill, undo, compare, download, judged by pixels."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.driving import (
    choose_method,
    compare,
    download,
    drag,
    fill,
    open_photo,
    open_tab,
    painted,
    wait_for_undo,
)


def test_a_painted_photo_is_filled_and_the_rest_comes_back_bit_for_bit(page: Page, photo: Path, tmp_path: Path) -> None:
    open_photo(page, photo)
    assert painted(page).shape == (512, 400)  # a small photo's canvas is the photo
    drag(page, (0.35, 0.6), (0.65, 0.75))
    strokes = painted(page)
    assert 0.005 < strokes.mean() < 0.3
    choose_method(page, "Telea")
    hole = np.asarray(Image.open(_save_mask(page, tmp_path))) > 0
    fill(page)

    before = np.asarray(Image.open(photo))
    saved = download(page, "#save-original", tmp_path)
    after = np.asarray(Image.open(saved))
    assert saved.name == "astronaut_filled.png"
    assert hole[strokes].all()  # every painted pixel was filled
    assert np.array_equal(before[~hole], after[~hole])
    assert (before[hole] != after[hole]).any(axis=1).mean() > 0.5


def _open_mask_tools(page: Page) -> None:
    """Open the accordion, unless a test before has done so."""
    if not page.locator("#look").is_visible():
        page.locator("#mask-tools > button").first.click()
        expect(page.locator("#look")).to_be_visible()


def _save_mask(page: Page, folder: Path) -> Path:
    _open_mask_tools(page)
    return download(page, "#save-mask", folder)


def test_ctrl_z_takes_a_stroke_back_and_ctrl_shift_z_returns_it(page: Page, photo: Path) -> None:
    open_photo(page, photo)
    drag(page, (0.2, 0.2), (0.4, 0.2))
    one = painted(page)
    drag(page, (0.2, 0.8), (0.4, 0.8))
    two = painted(page)
    assert two.sum() > one.sum() > 0
    page.keyboard.press("Control+z")
    assert np.array_equal(painted(page), one)
    page.keyboard.press("Control+Shift+z")
    assert np.array_equal(painted(page), two)
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    assert not painted(page).any()


def test_brush_keys_eraser_and_sketch_layer_do_what_they_say(page: Page, photo: Path) -> None:
    open_photo(page, photo)
    drag(page, (0.2, 0.3), (0.8, 0.3))
    thin = painted(page).sum()
    page.keyboard.press("Control+z")
    for _ in range(4):
        page.keyboard.press("]")
    drag(page, (0.2, 0.3), (0.8, 0.3))
    thick = painted(page)
    assert thick.sum() > 1.3 * thin
    page.get_by_label("Erase").click()
    drag(page, (0.5, 0.1), (0.5, 0.5))
    erased = painted(page)
    assert erased.sum() < thick.sum()
    assert not (erased & ~thick).any()
    page.get_by_label("Brush", exact=True).click()
    page.get_by_label("Sketch layer").click()
    drag(page, (0.2, 0.6), (0.8, 0.6))
    assert np.array_equal(painted(page), erased)  # the mask is not touched by the sketch
    assert painted(page, "sketch").any()
    page.keyboard.down("Space")
    drag(page, (0.5, 0.5), (0.6, 0.6))
    page.keyboard.up("Space")
    assert np.array_equal(painted(page), erased)  # Space moves the photo instead of painting
    page.keyboard.press("h")
    expect(page.locator(".easel-help")).to_be_visible()


def test_an_error_is_shown_and_the_strokes_stay(page: Page, photo: Path) -> None:
    open_photo(page, photo)
    page.locator("#fill").click()
    expect(page.get_by_text("Nothing is painted yet; brush over what is to be filled")).to_be_visible()
    drag(page, (0.2, 0.2), (0.4, 0.2))
    strokes = painted(page)
    broken = photo.parent / "broken.png"
    broken.write_text("no picture")
    page.locator("input[type=file]").first.set_input_files(broken)
    expect(page.get_by_text(re.compile("broken.png .*another"))).to_be_visible()
    assert np.array_equal(painted(page), strokes)
    expect(page.locator("#about-photo")).to_contain_text("astronaut.png")


def test_a_mask_is_drawn_at_random_undone_and_loaded_from_a_file(page: Page, photo: Path, tmp_path: Path) -> None:
    open_photo(page, photo)
    page.locator("#random-mask").click()
    wait_for_undo(page)
    assert painted(page).any()
    page.keyboard.press("Control+z")
    assert not painted(page).any()
    mask = np.zeros((512, 400), np.uint8)
    mask[100:150, 200:300] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    _open_mask_tools(page)
    page.locator("#mask-tools input[type=file]").set_input_files(tmp_path / "mask.png")
    wait_for_undo(page)
    assert np.array_equal(painted(page), mask > 0)
    page.locator("#look").click()
    expect(page.locator("#mask-summary")).to_contain_text("in one piece")


def test_compare_streams_the_chosen_methods_with_their_measures(page: Page, photo: Path) -> None:
    open_photo(page, photo)
    drag(page, (0.3, 0.55), (0.6, 0.65))
    open_tab(page, "Compare")
    page.locator("#hide-and-seek input").set_checked(True)
    compare(page, "Navier|Telea")
    expect(page.locator("#results canvas").first).to_be_visible()
    expect(page.locator("#compare-status")).to_contain_text("all numbers are of the hole")
    expect(page.locator("#results figcaption")).to_have_count(2)
    for caption in page.locator("#results figcaption").all_inner_texts():
        assert re.search(r"(?s)\d s .*L1 0\.\d+ .*PSNR [\d.]+ dB .*SSIM", caption)
    assert page.locator("#measures tr").count() == 3
    assert np.isfinite(float(page.locator("#measures td").nth(1).inner_text()))


def test_the_strokes_of_now_replace_the_scene_wherever_it_is_among_the_inputs(page: Page, photo: Path) -> None:
    open_photo(page, photo)
    drag(page, (0.2, 0.2), (0.4, 0.2))
    for inputs in ([{"scene": "1"}, 4, None], [None, False, {"scene": "1"}]):
        handed_over = page.evaluate("inputs => window.studio.withStrokes(inputs)", inputs)
        index = inputs.index({"scene": "1"})
        assert set(handed_over[index]) == {"mask", "sketch", "colours", "line_width", "selection", "step", "run"}
        assert handed_over[index]["mask"] == page.evaluate("window.studio.strokes().mask")
        assert [each for at, each in enumerate(handed_over) if at != index] == [
            each for at, each in enumerate(inputs) if at != index
        ]
