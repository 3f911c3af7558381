"""The page in both themes and three sizes, with results on every tab: nothing leaves the window, axe-core is content.

Its pictures are for people to look at; continuous integration keeps them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import opened
from tests.browser.driving import choose_method, compare, fill, fill_all, open_tab

GRAVE = {"serious", "critical"}
SIZES = {"desktop": (1440, 900), "tablet": (1024, 768), "phone": (390, 844)}
VIEWS = {"edit": "#canvas", "compare": "#results", "viewer": "", "batch": "#batch-zip", "methods": "#panel"}
"""What of the page is kept as a picture, and the part of it that shall be in the window."""


@pytest.fixture(scope="module", params=["light", "dark"])
def theme(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def worked(
    context: BrowserContext, address: str, theme: str, photo: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Page]:
    """The page in one of its themes, at rest, after a fill, a comparison and a batch."""
    for page in opened(context, f"{address}?__theme={theme}"):
        page.emulate_media(reduced_motion="reduce")
        choose_method(page, "Telea")
        compare(page, "Navier|Telea")
        expect(page.locator("#compare-status")).to_contain_text("Done")
        open_tab(page, "Edit")
        fill(page)
        fill_all(page, [photo], "Telea", tmp_path_factory.mktemp("batch"))
        expect(page.locator("#batch-status")).to_contain_text("1 of 1 photos filled")
        yield page


def _show(page: Page, view: str) -> None:
    """Open a tab, or the viewer on two results of the comparison."""
    open_tab(page, "Compare" if view == "viewer" else view.title())
    if view == "viewer":
        page.locator("#results .tile-picture").last.click()
        expect(page.locator("dialog.viewer")).to_be_visible()


def test_nothing_runs_out_of_the_window(worked: Page, theme: str, pictures: Path) -> None:
    for view, shown in VIEWS.items():
        _show(worked, view)
        for size, (width, height) in SIZES.items():
            worked.set_viewport_size({"width": width, "height": height})
            worked.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
            worked.evaluate("window.scrollTo(0, 0)")
            if shown:
                worked.locator(shown).scroll_into_view_if_needed()
            worked.screenshot(path=pictures / f"{view}_{size}_{theme}.png")
            assert worked.evaluate("document.documentElement.scrollWidth") <= width, (view, size)
        worked.keyboard.press("Escape")


GRADIOS_OWN = 'nested-interactive: <button class="icon-button'
"""The button that adds files to a list has the area to drop them on inside of it."""


def _grave(page: Page) -> list[str]:
    """Each grave finding of ours: its rule, and the elements that break it."""
    found: list[dict[str, Any]] = Axe().run(page).response["violations"]
    grave = [
        f"{each['id']}: {node['html'][:160]} {node['failureSummary'][:200]}"
        for each in found
        if each["impact"] in GRAVE
        for node in each["nodes"]
    ]
    return [each for each in grave if not each.startswith(GRADIOS_OWN)]


def test_axe_finds_nothing_serious(worked: Page) -> None:
    page = worked
    page.set_viewport_size({"width": 1440, "height": 900})
    findings: list[str] = []
    for view in ("viewer", "compare", "batch", "methods", "edit"):
        _show(page, view)
        findings += _grave(page)
        page.keyboard.press("Escape")
    page.locator("#save-more").click()
    page.get_by_label("Sketch layer").click()
    for accordion in ("#mask-tools", "#sketch-tools", "#advanced"):
        page.locator(f"{accordion} > button").first.click()
        expect(page.locator(f"{accordion} > button").first).to_have_class(re.compile("open"))
    findings += _grave(page)
    page.get_by_label("Compare steps up close").click()
    findings += _grave(page)
    page.keyboard.press("Escape")
    assert not findings, "\n".join(sorted(set(findings)))
