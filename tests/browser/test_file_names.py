"""A photo whose file's name is a script, wherever names are shown: it stays text and never becomes an element."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.driving import choose_method, download, drag, fill, fill_all, hand_over, open_photo

SCRIPT = "<img src=x onerror=alert(1)> _a_ **b**"


@pytest.fixture
def hostile(photo: Path, tmp_path: Path) -> Path:
    """A photo of that name."""
    path = tmp_path / f"{SCRIPT}.png"
    path.write_bytes(photo.read_bytes())
    return path


def _nothing_came_of_it(page: Page) -> None:
    """The `page` fixture fails at a dialog; here, that there is no element either."""
    assert page.locator("img[src=x], img[src$='/x']").count() == 0
    assert page.evaluate("[...document.querySelectorAll('*')].every((each) => !each.onerror)")
    assert page.locator("em, strong em, strong strong").filter(has_text=re.compile(r"^[ab]$")).count() == 0


def test_as_the_photo_in_work_and_as_one_that_cannot_be_read(page: Page, hostile: Path, tmp_path: Path) -> None:
    page.locator("input[type=file]").first.set_input_files(hostile)
    about = page.locator("#about-photo")
    expect(about).to_contain_text("400 x 512 pixels")
    expect(about).to_contain_text("_a_")  # as it is written
    _nothing_came_of_it(page)
    choose_method(page, "Telea")
    drag(page, (0.3, 0.3), (0.5, 0.3))
    fill(page)
    assert "_a_" in download(page, "#save-original", tmp_path).name
    hand_over(page, "drop", f"{SCRIPT}.txt", "text/plain", b"no photo")
    expect(page.locator(".easel-message")).to_contain_text(f"{SCRIPT}.txt is not a photo")
    hand_over(page, "drop", f"{SCRIPT}.png", "image/png", b"no picture")
    expect(page.get_by_text(re.compile(r"_a_.*another"))).to_be_visible()
    _nothing_came_of_it(page)


def test_among_the_photos_of_a_batch(page: Page, photo: Path, hostile: Path, tmp_path: Path) -> None:
    open_photo(page, photo)
    broken = tmp_path / f"broken {SCRIPT}.png"
    broken.write_text("no picture")
    fill_all(page, [hostile, broken], "Telea", tmp_path)
    expect(page.locator("#batch-status")).to_contain_text("1 of 2 photos filled")
    expect(page.locator("#batch-status li code")).to_contain_text("_a_")
    expect(page.locator("#batch-photos")).to_contain_text("_a_")
    _nothing_came_of_it(page)
