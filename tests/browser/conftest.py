"""The page served from this process and opened in a real Chromium."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Error, Page, ViewportSize, expect, sync_playwright

from tests.serving import served
from webui.examples import EXAMPLES

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",  # everything is drawn in two dimensions; a GPU that is emulated only takes time
    "--disable-background-networking",
]
PICTURES = Path(__file__).parent / "pictures"
SIZE: ViewportSize = {"width": 1280, "height": 900}
PATIENCE = 30_000  # milliseconds; the machine may be busy


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this folder, and skip it where there is no browser."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if not CHROMIUM.exists():
                reason = "NO BROWSER TEST WAS RUN: install Debian's chromium (apt-get install chromium)"
                item.add_marker(pytest.mark.skip(reason=reason))


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
    context = browser.new_context(viewport=SIZE, accept_downloads=True)
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    expect.set_options(timeout=PATIENCE)
    broken: list[str] = []

    def note(error: Error) -> None:
        broken.append(str(error))

    page.on("pageerror", note)
    page.goto(address)
    expect(page.locator("#about-photo")).to_contain_text(EXAMPLES[0].photo.name)  # the example of a first visit
    page.wait_for_function("window.studio && window.studio.strokes() !== null")
    page.mouse.move(1, 1)
    yield page
    context.close()
    assert not broken


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
