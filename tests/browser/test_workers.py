"""The page as it is hosted, with worker processes: a fill, Stop in the midst of one, and the next fill."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PATIENCE
from tests.browser.driving import choose_method, drag, fill, open_photo, painted, shown
from tests.serving import served
from tests.waiting import until


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(tmp_path_factory.mktemp("gradio"), workers=2) as url:
        yield url


class _Work:
    """What the worker processes compute."""

    def _computed(self) -> float:
        """CPU seconds of all of them until now."""
        seconds = 0.0
        for child in psutil.Process().children(recursive=True):
            with contextlib.suppress(psutil.Error):  # it has just ended
                if "forkserver" in " ".join(child.cmdline()):
                    seconds += sum(child.cpu_times()[:2])
        return seconds

    def goes_on(self, page: Page) -> bool:
        """Whether they have computed for more than a tenth of half a second."""
        before = self._computed()
        page.wait_for_timeout(500)  # the page is served meanwhile; a span to measure, nothing is waited for
        return self._computed() - before > 0.05


def test_stop_ends_the_workers_job_and_the_next_fill_works(page: Page, photo: Path) -> None:
    open_photo(page, photo)
    opened = shown(page)
    choose_method(page, "Telea")
    drag(page, (0.3, 0.3), (0.5, 0.3))
    hole = painted(page)
    fill(page)
    assert (shown(page) != opened).any(axis=2)[hole].mean() > 0.5

    choose_method(page, "Latent search")  # many seconds, in a worker process, for which no test has shortened it
    drag(page, (0.2, 0.6), (0.8, 0.7))
    strokes = painted(page)
    assert strokes.any()
    expect(page.locator("#fill")).to_have_text("Fill")
    work = _Work()
    page.locator("#fill").click()
    expect(page.locator(".easel-running-text")).to_have_text(re.compile(r"\d s$"))
    until(lambda: work.goes_on(page), PATIENCE / 1000)
    page.locator("#stop").click()
    expect(page.locator("#notes")).to_contain_text("Stopped; nothing was changed.")
    expect(page.locator("#fill")).to_be_enabled()
    until(lambda: not work.goes_on(page), PATIENCE / 1000)
    assert np.array_equal(painted(page), strokes)
    choose_method(page, "Telea")
    fill(page)
    expect(page.locator(".easel-steps button")).to_have_count(3)
