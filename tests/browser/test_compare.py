"""The Compare tab: numbers that sort, a chart, files to take away, and a Stop."""

from __future__ import annotations

import csv
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.driving import choose_method, compare, download, drag, fill, open_photo, open_tab


def test_measures_sort_and_a_chart_a_table_and_a_figure_can_be_taken_away(
    page: Page, photo: Path, tmp_path: Path
) -> None:
    open_photo(page, photo)
    drag(page, (0.3, 0.55), (0.6, 0.65))
    open_tab(page, "Compare")
    page.locator("#hide-and-seek input").check()
    compare(page, "Navier|Telea|PatchMatch")
    expect(page.locator("#compare-status")).to_contain_text("of the hole alone")
    expect(page.locator("#measures svg circle")).to_have_count(3)

    def column(index: int) -> list[float]:
        cells = page.locator(f"#measures tbody tr td:nth-child({index})").all()
        return [float(cell.get_attribute("data-value") or "nan") for cell in cells]

    page.locator("#measures thead button", has_text="LPIPS").click()
    heading = page.locator("#measures thead th", has_text="LPIPS")
    expect(heading).to_have_attribute("aria-sort", "ascending")
    lpips = 1 + [each.inner_text() for each in page.locator("#measures thead th").all()].index(heading.inner_text())
    assert column(lpips) == sorted(column(lpips))
    page.locator("#measures thead button", has_text="LPIPS").click()
    assert column(lpips) == sorted(column(lpips), reverse=True)

    with download(page, "#compare-csv", tmp_path).open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["method"] for row in rows] == ["ns", "telea", "patchmatch"]
    assert sorted(float(row["hole_lpips"]) for row in rows) == [
        float(f"{value:.6g}") for value in sorted(column(lpips))
    ]
    figure = Image.open(download(page, "#compare-figure", tmp_path))
    assert figure.width > 3 * 300


def test_a_comparison_can_be_stopped_and_what_is_finished_stays(page: Page, photo: Path) -> None:
    open_photo(page, photo)
    choose_method(page, "Telea")
    drag(page, (0.2, 0.3), (0.8, 0.7))
    compare(page, "Navier|PixelCNN|PixelRNN|Latent")
    expect(page.locator("#results .tile")).not_to_have_count(0)
    page.locator("#compare-stop").click()
    expect(page.locator("#compare-status")).to_contain_text("Stopped")
    expect(page.locator("#compare-stop")).to_be_hidden()
    finished = page.locator("#results .tile").count()
    assert 1 <= finished < 4
    open_tab(page, "Edit")
    fill(page)  # has its turn only when what was stopped has ended
    open_tab(page, "Compare")
    expect(page.locator("#results .tile")).to_have_count(finished)
    expect(page.locator("#compare-status")).to_contain_text("Stopped")
    compare(page, "Navier")
    expect(page.locator("#compare-status")).to_contain_text("Done")
    expect(page.locator("#results .tile")).to_have_count(1)
    expect(page.locator("#results figcaption")).to_contain_text("Navier")
