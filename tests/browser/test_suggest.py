"""Suggest: the numbers of each quick method, the best one chosen, and a Stop after which nothing comes any more."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from inpaint_core import catalogue
from tests.browser.conftest import PATIENCE
from tests.browser.driving import choose_method, drag, fill, open_photo
from webui import suggest


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory, astronaut: np.ndarray) -> Path:
    path = tmp_path_factory.mktemp("small") / "small.png"
    Image.fromarray(astronaut).resize((160, 160)).save(path)
    return path


def test_the_method_that_came_nearest_to_the_truth_is_chosen_with_its_numbers(
    page: Page, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(suggest, "PLACES", 1)
    open_photo(page, small)
    choose_method(page, "Navier")
    drag(page, (0.45, 0.5), (0.5, 0.5))
    page.locator("#suggest").click()
    rows = page.locator("#suggestion tbody tr")
    expect(rows).not_to_have_count(0, timeout=4 * PATIENCE)  # it loads every quick network first
    expect(page.locator("#suggest-stop")).to_be_hidden()
    page.locator("#suggestion summary").click()
    table = [row.locator("th, td").all_inner_texts() for row in rows.all()]
    titles = {method.title for method in catalogue.methods() if method.name in ("ns", "telea", "patchmatch")}
    assert titles <= {row[0] for row in table}
    lpips = [float(row[1]) for row in table]
    assert lpips == sorted(lpips)
    assert 0 < lpips[0] < lpips[-1]
    expect(page.locator("#suggestion")).to_contain_text(f"{table[0][0]} came nearest to the truth")
    expect(page.locator("#method input")).to_have_value(re.compile(re.escape(table[0][0])))


def test_stopped_it_says_nothing_more_and_the_next_fill_works(page: Page, photo: Path) -> None:
    open_photo(page, photo)
    choose_method(page, "Telea")
    drag(page, (0.3, 0.55), (0.6, 0.65))
    page.locator("#suggest").click()
    expect(page.locator("#suggestion")).to_contain_text("%")
    page.locator("#suggest-stop").click()
    expect(page.locator("#suggestion")).to_be_hidden()
    expect(page.locator("#suggest-stop")).to_be_hidden()
    fill(page)  # has its turn only when what was stopped has ended
    expect(page.locator("#suggestion")).to_be_hidden()
    expect(page.locator("#method input")).to_have_value(re.compile("Telea"))
