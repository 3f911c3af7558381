"""Pictures up close: results of a comparison and steps side by side, zoomed in step, opened on the hole."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from playwright.sync_api import Page, expect

from tests.browser.driving import choose_method, compare, drag, fill, open_photo, painted, pixels, shown

PANES = ".viewer-pane canvas"


def _panes(page: Page) -> list[np.ndarray]:
    """What the viewer's pictures show, uint8 H x W x 3."""
    urls = page.evaluate("[...document.querySelectorAll('.viewer-pane canvas')].map((each) => each.toDataURL())")
    return [pixels(url)[..., :3] for url in urls]


def test_results_of_a_comparison_open_close_up_on_the_hole_and_one_becomes_a_step(page: Page, photo: Path) -> None:
    open_photo(page, photo)
    opened = shown(page)
    drag(page, (0.3, 0.55), (0.6, 0.65))
    hole = painted(page)
    compare(page, "Navier|Telea")
    expect(page.locator("#results .tile")).to_have_count(2)
    expect(page.locator("#compare-status")).to_contain_text("Done")
    page.locator("#results .tile-picture").last.scroll_into_view_if_needed()
    scrolled = page.evaluate("window.scrollY")
    page.locator("#results .tile-picture").last.click()
    expect(page.locator("dialog.viewer")).to_be_visible()
    before, after = _panes(page)
    assert before.shape == after.shape
    assert (before != after).any(axis=2).mean() > 0.02
    corner = (slice(0, before.shape[0] // 12), slice(0, before.shape[1] // 12))
    assert np.array_equal(before[corner], after[corner])  # moved and zoomed in step
    page.locator(PANES).first.click()
    page.keyboard.press("ArrowLeft")
    assert not np.array_equal(_panes(page)[1], after)  # the other method
    page.keyboard.press("ArrowRight")
    page.mouse.wheel(0, -300)
    zoomed = _panes(page)
    assert not np.array_equal(zoomed[0], before)
    assert np.array_equal(zoomed[0][corner], zoomed[1][corner]) or (zoomed[0] != zoomed[1]).mean() > 0.2
    page.locator("[data-mode=wipe]").click()
    half = _panes(page)[0]
    page.get_by_label("Position of the wipe").fill("0")
    assert not np.array_equal(_panes(page)[0], half)
    page.locator("[data-mode='4']").click()
    assert len(_panes(page)) == 4
    page.locator("dialog.viewer [data-act=close]").click()
    assert page.evaluate("window.scrollY") == scrolled  # the page did not jump

    page.get_by_label("Use this: Fast marching").click()
    expect(page.locator(".easel-steps button")).to_have_count(2)
    changed = (shown(page) != opened).any(axis=2)
    assert changed[hole].mean() > 0.5
    assert not painted(page).any()


def test_two_steps_are_compared_and_one_is_chosen(page: Page, photo: Path) -> None:
    open_photo(page, photo)
    opened = shown(page)
    choose_method(page, "Telea")
    drag(page, (0.3, 0.3), (0.5, 0.3))
    fill(page)
    page.get_by_label("Compare steps up close").click()
    expect(page.locator("dialog.viewer")).to_be_visible()
    before, after = _panes(page)
    assert (before != after).any()
    page.get_by_label("Picture 2").select_option(label="Original")
    assert np.array_equal(_panes(page)[0], _panes(page)[1])
    page.get_by_label("Picture 2").select_option(label="1 Fast marching (Telea)")
    page.keyboard.press("Escape")
    expect(page.locator("dialog.viewer")).to_be_hidden()
    page.locator(".easel-steps button").first.click()
    assert np.array_equal(shown(page), opened)
    page.get_by_label("Compare steps up close").click()
    page.get_by_role("button", name="Use this").last.click()
    assert not np.array_equal(shown(page), opened)
