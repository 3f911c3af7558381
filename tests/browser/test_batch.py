"""The Batch tab: many photos become one ZIP, a bad one is named, and Stop keeps what is done."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.driving import choose_method, download, drag, fill, fill_all, open_photo, open_tab


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory, astronaut: np.ndarray) -> list[Path]:
    """Two different photos of 200 x 256 pixels."""
    folder = tmp_path_factory.mktemp("photos")
    paths = [folder / "first.png", folder / "second.png"]
    for path, part in zip(paths, (astronaut[:256, :200], astronaut[256:, 200:400]), strict=True):
        Image.fromarray(part).save(path)
    return paths


def _packed(archive: Path) -> dict[str, np.ndarray]:
    with zipfile.ZipFile(archive) as packed:
        return {name: np.asarray(Image.open(packed.open(name))) for name in packed.namelist()}


def test_photos_become_a_zip_with_known_pixels_kept_and_a_bad_one_is_named(
    page: Page, photos: list[Path], tmp_path: Path
) -> None:
    broken = tmp_path / "broken.png"
    broken.write_text("no picture")
    mask = fill_all(page, [*photos, broken], "Telea", tmp_path)
    expect(page.locator("#batch-status")).to_contain_text("2 of 3 photos filled.")
    expect(page.locator("#batch-status li")).to_contain_text("broken.png")
    expect(page.locator("#batch-stop")).to_be_hidden()
    filled = _packed(download(page, "#batch-zip", tmp_path))
    assert sorted(filled) == [path.name for path in photos]
    hole = np.asarray(Image.open(mask)) > 0
    for path in photos:
        before = np.asarray(Image.open(path))
        assert np.array_equal(filled[path.name][~hole], before[~hole])
        assert (filled[path.name][hole] != before[hole]).any(axis=1).mean() > 0.5


def test_stop_keeps_what_is_done_and_the_next_fill_works(
    page: Page, photo: Path, photos: list[Path], tmp_path: Path
) -> None:
    many = []
    for number in range(12):
        many.append(tmp_path / f"{number:02}.png")
        many[-1].write_bytes(photos[number % 2].read_bytes())
    open_photo(page, photo)
    choose_method(page, "Telea")
    drag(page, (0.3, 0.55), (0.6, 0.65))
    fill_all(page, many, "PatchMatch", tmp_path)
    expect(page.locator("#batch-zip")).to_be_visible()
    page.locator("#batch-stop").click()
    expect(page.locator("#batch-status")).to_contain_text("Stopped; the ZIP has what was filled until then.")
    expect(page.locator("#batch-stop")).to_be_hidden()
    open_tab(page, "Edit")
    fill(page)  # has its turn only when what was stopped has ended
    open_tab(page, "Batch")
    expect(page.locator("#batch-status")).to_contain_text("Stopped")
    filled = _packed(download(page, "#batch-zip", tmp_path))
    assert 1 <= len(filled) < len(many)
    assert list(filled) == [path.name for path in many[: len(filled)]]
