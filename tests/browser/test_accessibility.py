"""The page measured by axe-core: no serious finding, in both themes, with every part of it opened once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PATIENCE
from tests.browser.driving import choose_method, fill
from webui.examples import EXAMPLES

GRAVE = {"serious", "critical"}


@pytest.fixture(params=["light", "dark"])
def themed(browser: Browser, address: str, request: pytest.FixtureRequest) -> Iterator[Page]:
    """The page in one of its themes, at rest."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    expect.set_options(timeout=PATIENCE)
    page.goto(f"{address}?__theme={request.param}")
    expect(page.locator("#about-photo")).to_contain_text(EXAMPLES[0].photo.name)
    page.wait_for_function("window.studio && window.studio.strokes() !== null")
    yield page
    context.close()


def _grave(page: Page) -> list[str]:
    """Each grave finding: its rule, and the elements that break it."""
    found: list[dict[str, Any]] = Axe().run(page).response["violations"]
    return [
        f"{each['id']}: {node['html'][:160]} {node['failureSummary'][:200]}"
        for each in found
        if each["impact"] in GRAVE
        for node in each["nodes"]
    ]


def test_axe_finds_nothing_serious(themed: Page, pictures: Path) -> None:
    page = themed
    choose_method(page, "Telea")
    fill(page)
    page.locator("#save-more").click()
    theme = "dark" if "dark" in page.url else "light"
    page.screenshot(path=pictures / f"edit_{theme}.png")
    findings = _grave(page)
    page.get_by_label("Sketch layer").click()
    for accordion in ("#mask-tools", "#sketch-tools", "#advanced"):
        page.locator(f"{accordion} > button").first.click()
    page.wait_for_timeout(400)  # until they are open
    findings += _grave(page)
    page.get_by_label("Compare steps up close").click()
    findings += _grave(page)
    page.screenshot(path=pictures / f"viewer_{theme}.png")
    page.keyboard.press("Escape")
    for tab in ("Compare", "Methods"):
        page.get_by_role("tab", name=tab).click()
        page.wait_for_timeout(200)
        page.screenshot(path=pictures / f"{tab.lower()}_{theme}.png")
        findings += _grave(page)
    assert not findings, "\n".join(sorted(set(findings)))
