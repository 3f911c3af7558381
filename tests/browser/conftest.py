"""The page served from this process and opened in a real Chromium.

One server, one Chromium and one cache of its files for all tests of a process: most of their time is the loading of the
page, which every test does anew.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Dialog, Error, Page, ViewportSize, expect, sync_playwright

from tests.conftest import ROOT
from tests.serving import served
from webui.examples import EXAMPLES

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",  # everything is drawn in two dimensions; a GPU that is emulated only takes time
    "--disable-background-networking",
]
PICTURES = Path(os.environ.get("INPAINT_SCREENSHOTS") or ROOT / "build" / "screenshots")
SIZE: ViewportSize = {"width": 1280, "height": 900}
PATIENCE = 120_000  # milliseconds; the machine may be busy


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this folder, and skip it where there is no browser."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if not CHROMIUM.exists():
                reason = "NO BROWSER TEST WAS RUN: install Debian's chromium (apt-get install chromium)"
                item.add_marker(pytest.mark.skip(reason=reason))


# Of the package, not the session: while Playwright runs, no other test of this process could start an event loop.
@pytest.fixture(scope="package")
def own_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that all modules share but those with an `address` of their own."""
    with served(tmp_path_factory.mktemp("gradio")) as url:
        yield url


@pytest.fixture(scope="module")
def address(own_address: str) -> str:
    return own_address


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="package")
def context(browser: Browser) -> Iterator[BrowserContext]:
    """Chromium's cache. The page keeps nothing of a visitor in the browser, so each that is opened is a new one's."""
    context = browser.new_context(viewport=SIZE, accept_downloads=True)
    context.set_default_timeout(PATIENCE)
    expect.set_options(timeout=PATIENCE)
    yield context
    assert not context.storage_state()["origins"]
    context.close()


def opened(context: BrowserContext, address: str) -> Iterator[Page]:
    """The page as a new visitor sees it; an exception in its scripts, or a dialog, fails the test."""
    page = context.new_page()
    broken: list[str] = []

    def note(error: Error) -> None:
        broken.append(str(error))

    def dismiss(dialog: Dialog) -> None:
        broken.append(f"a dialog: {dialog.message}")
        dialog.dismiss()

    page.on("pageerror", note)
    page.on("dialog", dismiss)
    page.goto(address)
    expect(page.locator("#about-photo")).to_contain_text(EXAMPLES[0].photo.name)  # the example of a first visit
    page.wait_for_function("window.studio && window.studio.strokes() !== null")
    page.mouse.move(1, 1)
    yield page
    page.close()
    assert not broken


@pytest.fixture
def page(context: BrowserContext, address: str) -> Iterator[Page]:
    """The page as a new visitor sees it."""
    yield from opened(context, address)


@pytest.fixture(scope="session")
def pictures() -> Path:
    """The folder of the page's screenshots, which continuous integration keeps."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    return PICTURES


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory, astronaut: np.ndarray) -> Path:
    path = tmp_path_factory.mktemp("photo") / "astronaut.png"
    Image.fromarray(astronaut[:, :400]).save(path)
    return path
