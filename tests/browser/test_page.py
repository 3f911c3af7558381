"""The page in a real Chromium: paint, fill, undo, compare, download, judged by pixels."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.serving import served

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
    "--disable-background-networking",
]
PATIENCE = 60_000  # milliseconds; the machine may be busy

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not CHROMIUM.exists(), reason="NO BROWSER TEST WAS RUN: install Debian's chromium (apt-get install chromium)"
    ),
]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(tmp_path_factory.mktemp("gradio")) as url:
        yield url


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """The page as a new visitor sees it; an exception in its scripts fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True)
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    expect.set_options(timeout=PATIENCE)
    broken: list[str] = []
    page.on("pageerror", lambda error: broken.append(str(error)))
    page.goto(address)
    expect(page.locator("#about-photo")).to_contain_text("launch.jpg")  # the example of a first visit
    page.wait_for_function("window.studio && window.studio.strokes() !== null")
    yield page
    context.close()
    assert not broken


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory, astronaut: np.ndarray) -> Path:
    path = tmp_path_factory.mktemp("photo") / "astronaut.png"
    Image.fromarray(astronaut[:, :400]).save(path)
    return path


def _open(page: Page, path: Path) -> None:
    page.locator("input[type=file]").first.set_input_files(path)
    expect(page.locator("#about-photo")).to_contain_text(path.name)
    page.wait_for_function("window.studio.strokes() !== null")
    expect(page.locator("#canvas").get_by_label("Undo")).to_be_disabled()  # the strokes of the photo before are gone


def _drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Move the pressed mouse between two places of the canvas, each a share of its width and height."""
    page.locator(".easel-stage").scroll_into_view_if_needed()
    box = page.locator(".easel-stage").bounding_box()
    assert box is not None
    places = [(box["x"] + box["width"] * x, box["y"] + box["height"] * y) for x, y in (start, end)]
    page.mouse.move(*places[0])
    page.mouse.down()
    page.mouse.move(*places[1], steps=6)
    page.mouse.up()


def _painted(page: Page, layer: str = "mask") -> np.ndarray:
    """What is painted on a layer of the canvas now, bool H x W."""
    url = page.evaluate("layer => window.studio.strokes()[layer]", layer)
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))))[..., 3] > 0


def _choose(page: Page, method: str) -> None:
    page.locator("#method input").click()
    page.get_by_role("option", name=re.compile(method)).click()


def _fill(page: Page) -> None:
    page.locator("#fill").click()
    expect(page.locator("#notes")).to_contain_text("filled")
    expect(page.locator("#before-after img").first).to_be_visible()


def _download(page: Page, button: str, folder: Path) -> Path:
    with page.expect_download() as waiting:
        page.locator(button).click()
    path = folder / waiting.value.suggested_filename
    waiting.value.save_as(path)
    return path


def test_a_painted_photo_is_filled_and_the_rest_comes_back_bit_for_bit(page: Page, photo: Path, tmp_path: Path) -> None:
    _open(page, photo)
    assert _painted(page).shape == (512, 400)  # a small photo's canvas is the photo
    _drag(page, (0.35, 0.6), (0.65, 0.75))
    strokes = _painted(page)
    assert 0.005 < strokes.mean() < 0.3
    _choose(page, "Telea")
    _fill(page)

    before = np.asarray(Image.open(photo))
    saved = _download(page, "#save-png", tmp_path)
    after = np.asarray(Image.open(saved))
    hole = np.asarray(Image.open(_save_mask(page, tmp_path))) > 0
    assert saved.name == "astronaut_filled.png"
    assert hole[strokes].all()  # every painted pixel was filled
    assert np.array_equal(before[~hole], after[~hole])
    assert (before[hole] != after[hole]).any(axis=1).mean() > 0.5


def _save_mask(page: Page, folder: Path) -> Path:
    page.locator("#mask-tools > button").first.click()
    return _download(page, "#save-mask", folder)


def test_ctrl_z_takes_a_stroke_back_and_ctrl_shift_z_returns_it(page: Page, photo: Path) -> None:
    _open(page, photo)
    _drag(page, (0.2, 0.2), (0.4, 0.2))
    one = _painted(page)
    _drag(page, (0.2, 0.8), (0.4, 0.8))
    two = _painted(page)
    assert two.sum() > one.sum() > 0
    page.keyboard.press("Control+z")
    assert np.array_equal(_painted(page), one)
    page.keyboard.press("Control+Shift+z")
    assert np.array_equal(_painted(page), two)
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    assert not _painted(page).any()


def test_brush_keys_eraser_and_sketch_layer_do_what_they_say(page: Page, photo: Path) -> None:
    _open(page, photo)
    _drag(page, (0.2, 0.3), (0.8, 0.3))
    thin = _painted(page).sum()
    page.keyboard.press("Control+z")
    for _ in range(4):
        page.keyboard.press("]")
    _drag(page, (0.2, 0.3), (0.8, 0.3))
    thick = _painted(page)
    assert thick.sum() > 1.3 * thin
    page.get_by_label("Erase").click()
    _drag(page, (0.5, 0.1), (0.5, 0.5))
    erased = _painted(page)
    assert erased.sum() < thick.sum()
    assert not (erased & ~thick).any()
    page.get_by_label("Brush", exact=True).click()
    page.get_by_label("Sketch layer").click()
    _drag(page, (0.2, 0.6), (0.8, 0.6))
    assert np.array_equal(_painted(page), erased)  # the mask is not touched by the sketch
    assert _painted(page, "sketch").any()
    page.keyboard.down("Space")
    _drag(page, (0.5, 0.5), (0.6, 0.6))
    page.keyboard.up("Space")
    assert np.array_equal(_painted(page), erased)  # Space moves the photo instead of painting
    page.keyboard.press("h")
    expect(page.locator(".easel-help")).to_be_visible()


def test_an_error_is_shown_and_the_strokes_stay(page: Page, photo: Path) -> None:
    _open(page, photo)
    page.locator("#fill").click()
    expect(page.get_by_text("Nothing is painted yet; brush over what is to be filled")).to_be_visible()
    _drag(page, (0.2, 0.2), (0.4, 0.2))
    strokes = _painted(page)
    broken = photo.parent / "broken.png"
    broken.write_text("no picture")
    page.locator("input[type=file]").first.set_input_files(broken)
    expect(page.get_by_text(re.compile("broken.png .*another"))).to_be_visible()
    assert np.array_equal(_painted(page), strokes)
    expect(page.locator("#about-photo")).to_contain_text("astronaut.png")


def test_a_mask_is_drawn_at_random_undone_and_loaded_from_a_file(page: Page, photo: Path, tmp_path: Path) -> None:
    _open(page, photo)
    page.locator("#random-mask").click()
    page.wait_for_function("!document.querySelector('[data-tool=undo]').disabled")
    assert _painted(page).any()
    page.keyboard.press("Control+z")
    assert not _painted(page).any()
    mask = np.zeros((512, 400), np.uint8)
    mask[100:150, 200:300] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    page.locator("#mask-tools > button").first.click()
    page.locator("#mask-tools input[type=file]").set_input_files(tmp_path / "mask.png")
    page.wait_for_function("!document.querySelector('[data-tool=undo]').disabled")
    assert np.array_equal(_painted(page), mask > 0)
    page.locator("#look").click()
    expect(page.locator("#verdict")).to_contain_text("in one piece")


def test_compare_streams_the_chosen_methods_with_their_measures(page: Page, photo: Path) -> None:
    _open(page, photo)
    _drag(page, (0.3, 0.55), (0.6, 0.65))
    page.get_by_role("tab", name="Compare").click()
    for choice in page.locator("#chosen label").all():
        wanted = re.search("Navier|Telea", choice.inner_text()) is not None
        choice.locator("input").set_checked(wanted)
    page.locator("#hide-and-seek input").set_checked(True)
    page.locator("#compare").click()
    expect(page.locator("#results img").first).to_be_visible()
    expect(page.locator("#compare-status")).to_contain_text("2 methods, fastest first")
    expect(page.locator("#results .caption-label")).to_have_count(2)
    for caption in page.locator("#results .caption-label").all_inner_texts():
        assert re.search(r"\d s .*L1 0\.\d+ .*PSNR [\d.]+ dB .*SSIM", caption)
    assert page.locator("#measures tr").count() == 3
    assert np.isfinite(float(page.locator("#measures td").nth(1).inner_text()))


def test_a_result_can_be_continued_and_a_large_jpeg_is_filled_at_its_own_size(
    page: Page, astronaut: np.ndarray, tmp_path: Path
) -> None:
    large = tmp_path / "large.jpg"
    Image.fromarray(astronaut).resize((2000, 1400)).save(large, quality=90)
    _open(page, large)
    height, width = _painted(page).shape
    assert height * width <= 2_000_000
    _choose(page, "Telea")
    _drag(page, (0.2, 0.2), (0.3, 0.2))
    _fill(page)
    first = np.asarray(Image.open(_download(page, "#save-png", tmp_path)))
    page.locator("#continue").click()
    expect(page.locator("#about-photo")).to_contain_text("continued from a result")
    page.wait_for_function("document.querySelector('[data-tool=undo]').disabled")
    _drag(page, (0.6, 0.7), (0.7, 0.7))
    shown = page.locator("#before-after img").first.get_attribute("src")
    page.locator("#fill").click()
    expect(page.locator("#before-after img").first).not_to_have_attribute("src", shown or "")
    second = np.asarray(Image.open(_download(page, "#save-png", tmp_path)))

    before = np.asarray(Image.open(large))
    assert second.shape == before.shape
    by_first, by_second = (first != before).any(axis=2), (second != first).any(axis=2)
    assert by_first[:, :1000].any()
    assert not by_first[:, 1000:].any()
    assert by_second[:, 1000:].any()
    assert not by_second[:, :1000].any()  # the first fill is kept as it was
    assert Image.open(_download(page, "#save-original", tmp_path)).format == "JPEG"
