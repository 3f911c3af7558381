"""What makes many edits quick: fill on release, four variations, photos dropped, pasted and copied."""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.driving import choose_method, download, drag, fill, hand_over, open_photo, painted, pixels, shown
from webui.examples import EXAMPLES

STEPS = ".easel-steps button"


@pytest.fixture(scope="module")
def glass(tmp_path_factory: pytest.TempPathFactory, astronaut: np.ndarray) -> Path:
    """A photo whose left third is transparent, 300 x 200."""
    picture = np.dstack([astronaut[100:300, 100:400], np.full((200, 300), 255, np.uint8)])
    picture[:, :100, 3] = 0
    path = tmp_path_factory.mktemp("glass") / "glass.png"
    Image.fromarray(picture).save(path)
    return path


def test_five_objects_go_by_five_strokes_with_fill_on_release(page: Page, photo: Path, tmp_path: Path) -> None:
    open_photo(page, photo)
    choose_method(page, "PixelRNN")
    expect(page.locator("#fill-on-release")).to_be_hidden()  # each stroke would take half a minute
    choose_method(page, "Telea")
    page.locator("#fill-on-release input").check()
    strokes = []
    for count, row in enumerate((0.1, 0.3, 0.5, 0.7, 0.9), start=1):
        drag(page, (0.4, row), (0.5, row))
        if count == 3:
            drag(page, (0.6, row), (0.62, row))  # while the one before may still be filled
        expect(page.locator(STEPS)).to_have_count(count + 1 + (count >= 3))
        strokes.append(row)
    expect(page.locator("#fill")).to_have_text("Fill")
    assert not painted(page).any()

    before, after = np.asarray(Image.open(photo)), np.asarray(Image.open(download(page, "#save-original", tmp_path)))
    changed = (before != after).any(axis=2)
    bands = [slice(round(512 * row) - 30, round(512 * row) + 30) for row in strokes]
    assert all(changed[band].any() for band in bands)
    for band in bands:
        changed[band] = False
    assert not changed.any()
    page.locator("#fill-on-release input").uncheck()
    drag(page, (0.4, 0.2), (0.5, 0.2))
    assert painted(page).any()


def test_four_variations_come_side_by_side_and_as_steps(page: Page, photo: Path) -> None:
    open_photo(page, photo)
    choose_method(page, "Telea")
    expect(page.locator("#fill-variations")).to_be_hidden()
    choose_method(page, "PatchMatch")
    drag(page, (0.3, 0.55), (0.4, 0.6))
    page.locator("#fill-variations").click()
    expect(page.locator("dialog.viewer")).to_be_visible()
    expect(page.locator(".viewer-pane canvas")).to_have_count(4)
    urls = page.evaluate("[...document.querySelectorAll('.viewer-pane canvas')].map((each) => each.toDataURL())")
    assert len(set(urls)) == 4
    page.get_by_role("button", name="Use this").nth(1).click()
    expect(page.locator(STEPS)).to_have_text(["Photo", *(re.compile(f"seed {seed}") for seed in range(4))])
    expect(page.locator(STEPS).nth(2)).to_have_attribute("aria-pressed", "true")


def test_the_same_photo_opened_again_is_a_new_one(page: Page, photo: Path) -> None:
    open_photo(page, photo)
    choose_method(page, "Telea")
    drag(page, (0.3, 0.3), (0.5, 0.3))
    fill(page)
    drag(page, (0.3, 0.6), (0.5, 0.6))
    opened = page.evaluate("window.studio.photo()")
    page.locator("input[type=file]").first.set_input_files(photo)
    page.wait_for_function("before => window.studio.photo() !== before", arg=opened)
    expect(page.locator(STEPS)).to_have_count(1)
    expect(page.get_by_label("Undo", exact=True)).to_be_disabled()
    expect(page.get_by_label("Redo", exact=True)).to_be_disabled()
    assert not painted(page).any()


def test_a_photo_is_dropped_or_pasted_and_what_is_none_is_answered(page: Page, photo: Path) -> None:
    hand_over(page, "dragover", "notes.txt", "text/plain", b"no photo")
    expect(page.locator("html")).to_have_class(re.compile("dropping"))
    hand_over(page, "drop", "notes.txt", "text/plain", b"no photo")
    expect(page.locator(".easel-message")).to_contain_text("notes.txt is not a photo")
    expect(page.locator("html")).not_to_have_class(re.compile("dropping"))
    expect(page.locator("#about-photo")).to_contain_text(EXAMPLES[0].photo.name)
    hand_over(page, "drop", "dropped.png", "image/png", photo.read_bytes())
    expect(page.locator("#about-photo")).to_contain_text("dropped.png")
    hand_over(page, "paste", "pasted.png", "image/png", photo.read_bytes())
    expect(page.locator("#about-photo")).to_contain_text("pasted.png")
    heic = b"ftypheic, but broken"
    hand_over(page, "drop", "phone.heic", "", heic)  # many browsers know no type of it; the server reads it
    expect(page.get_by_text(re.compile("phone.heic .*another"))).to_be_visible()


def test_a_transparent_photo_lies_on_a_checkerboard_and_is_copied_as_it_is(page: Page, glass: Path) -> None:
    open_photo(page, glass)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    url = page.evaluate("""document.querySelector("canvas[data-layer=photo]").toDataURL("image/png")""")
    assert (pixels(url)[:, :95, 3] == 0).all()
    assert (pixels(url)[:, 105:, 3] == 255).all()
    stage = Image.open(io.BytesIO(page.locator(".easel-stage").screenshot())).convert("RGB")
    at = np.asarray(stage)[stage.height // 3 : stage.height // 3 + 64, round(0.15 * stage.width) :][:, :64]
    colours, counts = np.unique(at.reshape(-1, 3), axis=0, return_counts=True)
    assert len(colours[counts > 0.2 * at[..., 0].size]) == 2  # of the board

    page.keyboard.press("Control+c")
    expect(page.get_by_text("press Fill first")).to_be_visible()  # there is no result yet
    choose_method(page, "Telea")
    drag(page, (0.6, 0.5), (0.7, 0.5))
    fill(page)
    page.locator("#save-more").click()
    page.locator("#copy").click()
    expect(page.locator(".easel-message")).to_contain_text("in the clipboard")
    copied = page.evaluate(
        """async () => {
            const [item] = await navigator.clipboard.read(), blob = await item.getType("image/png");
            return await new Promise((resolve) => { const reader = new FileReader();
                reader.onload = () => resolve(reader.result); reader.readAsDataURL(blob); });
        }"""
    )
    before, after, visible = np.asarray(Image.open(glass)), pixels(copied), shown(page)
    assert after.shape == before.shape
    assert np.array_equal(after[..., 3] > 0, before[..., 3] > 0)
    filled = (after != before).any(axis=2) & (before[..., 3] > 0)
    assert filled.any()
    assert np.array_equal(after[filled][:, :3], visible[filled])
