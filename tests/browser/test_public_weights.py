"""A visitor fetches public weights from a publisher on localhost, fills with them, and compares ours with them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.browser.driving import choose_method, drag, fill, open_photo, painted, shown
from tests.serving import served
from tests.weights.publishing import Publisher
from tests.weights.small_lama import published_small_lama

OURS = "glcic"
PUBLIC = "lama@small"


@pytest.fixture(scope="module")
def publisher() -> Iterator[Publisher]:
    with pytest.MonkeyPatch.context() as patch, published_small_lama(patch) as publisher:
        yield publisher


@pytest.fixture(scope="module")
def address(publisher: Publisher, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server whose operator lets visitors fetch weights."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INPAINT_ALLOW_DOWNLOADS", "1")
        patch.setenv("INPAINT_WEIGHTS", str(tmp_path_factory.mktemp("weights")))
        with served(tmp_path_factory.mktemp("gradio")) as url:
            yield url


def test_public_weights_are_fetched_on_the_page_fill_and_are_compared_with_ours(
    page: Page, photo: Path, publisher: Publisher
) -> None:
    page.get_by_role("tab", name="Methods").click()
    row = page.locator(f"[data-weights='{PUBLIC}']")
    row.get_by_text("Get", exact=False).first.click()
    expect(row.locator("details")).to_contain_text("CC BY-NC 4.0. Commercial use is NOT allowed.")
    content = publisher.files.pop("small.pth")
    row.get_by_role("button", name="Accept the licence and fetch").click()
    expect(row.get_by_role("alert")).to_contain_text("could not be fetched")
    publisher.files["small.pth"] = content
    row.get_by_role("button", name="Try again").click()
    expect(row.locator(".public-state")).to_have_text("here")
    expect(row.get_by_role("alert")).to_have_count(0)

    page.get_by_role("tab", name="Edit").click()
    open_photo(page, photo)
    opened = shown(page)
    choose_method(page, "Small LaMa")
    expect(page.locator("#about-method")).to_contain_text("licence: CC BY-NC 4.0")
    drag(page, (0.3, 0.55), (0.6, 0.65))
    strokes = painted(page)
    fill(page)
    assert (shown(page) != opened).any(axis=2)[strokes].mean() > 0.5
    expect(page.locator("#notes")).to_contain_text("LaMa, Small LaMa filled")

    page.get_by_label("Undo").first.click()
    assert np.array_equal(painted(page), strokes)
    page.get_by_role("tab", name="Compare").click()
    for choice in page.locator("#chosen input").all():
        choice.set_checked(choice.get_attribute("name") in (OURS, PUBLIC))
    page.locator("#compare").click()
    expect(page.locator("#compare-status")).to_contain_text("Done")
    assert set(page.locator("#results figcaption b").all_inner_texts()) == {"GLCIC", "LaMa, Small LaMa"}
