"""Fills as steps on the canvas: taken back, gone back to, saved; nothing of a photo stays when another is opened."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.driving import choose_method, download, download_png, drag, fill, open_photo, painted, shown

STEPS = ".easel-steps button"


def _near(mask: np.ndarray, pixels: int) -> np.ndarray:
    """The mask and what is at most so many pixels beside it."""
    return cv2.dilate(mask.astype(np.uint8), np.ones((2 * pixels + 1, 2 * pixels + 1), np.uint8)) > 0


def test_five_objects_go_by_five_strokes_and_five_fills_without_scrolling(
    page: Page, astronaut: np.ndarray, tmp_path: Path
) -> None:
    path = tmp_path / "large.jpg"
    Image.fromarray(astronaut).resize((2000, 1400)).save(path, quality=90)
    page.set_viewport_size({"width": 1440, "height": 900})
    open_photo(page, path)
    choose_method(page, "Telea")
    page.evaluate("window.scrollTo(0, 0)")
    strokes = []
    for row in (0.1, 0.3, 0.5, 0.7, 0.9):
        drag(page, (0.2, row), (0.3, row))
        strokes.append(painted(page))
        fill(page)
    assert not painted(page).any()  # ready for the next one
    assert page.evaluate("window.scrollY") == 0
    assert page.locator("#fill").is_visible()

    before, after = np.asarray(Image.open(path)), np.asarray(Image.open(download_png(page, tmp_path)))
    assert after.shape == before.shape  # the original was filled, not the smaller copy on the canvas
    height, width = strokes[0].shape
    assert height * width <= 2_000_000
    union = np.asarray(Image.fromarray(np.any(strokes, axis=0)).resize((2000, 1400), Image.Resampling.NEAREST))
    changed = (before != after).any(axis=2)
    assert changed[union].mean() > 0.5
    near = _near(union, 12)  # the few pixels by which the mask is grown
    assert not changed[:, 1000:].any()
    assert not (changed & ~near).any()
    assert Image.open(download(page, "#save-original", tmp_path)).format == "JPEG"


def test_a_fill_is_undone_with_its_strokes_redone_and_gone_back_to(page: Page, photo: Path, tmp_path: Path) -> None:
    open_photo(page, photo)
    opened = shown(page)
    choose_method(page, "Telea")
    drag(page, (0.3, 0.3), (0.5, 0.3))
    strokes = painted(page)
    fill(page)
    filled = shown(page)
    assert (filled != opened).any(axis=2)[strokes].mean() > 0.5
    page.keyboard.press("Control+z")
    assert np.array_equal(shown(page), opened)
    assert np.array_equal(painted(page), strokes)
    page.keyboard.press("Control+Shift+z")
    assert np.array_equal(shown(page), filled)
    assert not painted(page).any()
    choose_method(page, "Navier")
    fill(page)  # with nothing painted: the same hole once more, of the photo as it was
    other = shown(page)
    assert not np.array_equal(other, filled)
    assert not (other != opened).any(axis=2)[~_near(strokes, 8)].any()
    page.locator(STEPS).nth(1).click()
    assert np.array_equal(shown(page), filled)
    saved = np.asarray(Image.open(download(page, "#save-original", tmp_path)))
    hole = (saved != np.asarray(Image.open(photo))).any(axis=2)
    assert np.array_equal(saved[hole], filled[hole])
    page.locator(STEPS).nth(0).click()
    assert np.array_equal(shown(page), opened)
    page.locator("#save-original").click()
    expect(page.get_by_text("press Fill first")).to_be_visible()


def test_another_photo_leaves_nothing_of_the_one_before(page: Page, photo: Path) -> None:
    open_photo(page, photo)
    choose_method(page, "Telea")
    drag(page, (0.3, 0.3), (0.5, 0.3))
    fill(page)
    page.locator("#examples img").nth(1).click()
    expect(page.locator(STEPS)).to_have_count(1)
    expect(page.locator("#notes")).to_contain_text("Paint over what should go")
    page.keyboard.press("Control+s")
    expect(page.get_by_text("press Fill first")).to_be_visible()
    fill(page)  # the example's own mask


def test_a_stroke_erased_along_its_own_path_leaves_nothing(page: Page, photo: Path) -> None:
    open_photo(page, photo)
    for layer in ("mask", "sketch"):
        page.get_by_label(f"{layer.title()} layer").click()
        page.get_by_label("Brush", exact=True).click()
        for start, end in (((0.21, 0.33), (0.63, 0.48)), ((0.3, 0.7), (0.52, 0.61))):
            drag(page, start, end)
        assert painted(page, layer).any()
        page.get_by_label("Erase").click()
        for start, end in (((0.21, 0.33), (0.63, 0.48)), ((0.3, 0.7), (0.52, 0.61))):
            drag(page, start, end)
        assert not painted(page, layer).any()


def test_undo_on_the_mask_never_takes_a_line_of_the_sketch(page: Page, photo: Path) -> None:
    open_photo(page, photo)
    drag(page, (0.2, 0.2), (0.4, 0.2))
    page.get_by_label("Sketch layer").click()
    drag(page, (0.2, 0.6), (0.4, 0.6))
    page.get_by_label("Mask layer").click()
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    assert not painted(page).any()
    assert painted(page, "sketch").any()


def test_the_original_is_shown_while_its_button_or_tab_is_held(page: Page, photo: Path) -> None:
    open_photo(page, photo)
    opened = shown(page)
    choose_method(page, "Telea")
    drag(page, (0.3, 0.3), (0.5, 0.3))
    fill(page)
    filled = shown(page)
    box = page.get_by_label("Show the original").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 10, box["y"] + 10)
    page.mouse.down()
    assert np.array_equal(shown(page), opened)
    page.mouse.up()
    assert np.array_equal(shown(page), filled)
    drag(page, (0.6, 0.6), (0.65, 0.6))  # the pointer works on the canvas
    page.keyboard.down("Tab")
    assert np.array_equal(shown(page), opened)
    page.keyboard.up("Tab")
    assert np.array_equal(shown(page), filled)


def test_tab_leaves_the_canvas_and_space_presses_a_focused_button(page: Page, photo: Path) -> None:
    open_photo(page, photo)
    drag(page, (0.3, 0.3), (0.5, 0.3))
    page.get_by_label("Clear canvas").focus()
    page.keyboard.press("Space")
    assert not painted(page).any()  # although the pointer is over the canvas
    before = page.evaluate("document.activeElement.outerHTML")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.outerHTML") != before
    page.get_by_label("Canvas: paint").focus()
    page.keyboard.press("Tab")
    assert not page.evaluate("document.activeElement.matches('.easel-stage')")


def test_fill_undo_save_and_the_steps_are_in_reach_without_scrolling(page: Page, photo: Path) -> None:
    for width, height in ((1440, 900), (1024, 768), (390, 844)):
        page.set_viewport_size({"width": width, "height": height})
        open_photo(page, photo)
        page.evaluate("window.scrollTo(0, 0)")
        for selector in ("#fill", "[data-tool=undo]", "#save-original", STEPS):
            expect(page.locator(selector).first).to_be_in_viewport(ratio=1)
            if width < 640 and selector != STEPS:
                sides = page.locator(selector).first.evaluate("each => [each.offsetWidth, each.offsetHeight]")
                assert min(sides) >= 44
        for layer in ("Sketch layer", "Mask layer"):
            page.get_by_label(layer).click()
            assert _overprinted(page) == []


def _overprinted(page: Page) -> list[str]:
    """Buttons of the canvas that lie over one another, or of which a part is outside of the window."""
    boxes = {}
    for button in page.locator(":is(.easel-bar, .easel-actions) :is(button, input)").all():
        box = button.bounding_box() if button.is_visible() else None
        if box is not None:
            boxes[button.evaluate("each => each.ariaLabel || each.textContent")] = box
    names = list(boxes)
    wide = page.viewport_size["width"] if page.viewport_size else 0
    wrong = [name for name in names if boxes[name]["x"] < 0 or boxes[name]["x"] + boxes[name]["width"] > wide]
    for index, name in enumerate(names):
        one = boxes[name]
        for other in (boxes[each] for each in names[index + 1 :]):
            across = min(one["x"] + one["width"], other["x"] + other["width"]) - max(one["x"], other["x"])
            along = min(one["y"] + one["height"], other["y"] + other["height"]) - max(one["y"], other["y"])
            if min(across, along) > 1:
                wrong.append(name)
    return wrong
