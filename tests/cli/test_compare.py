"""The command `compare`: pictures, a contact sheet and a table."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from inpaint_core.report import sheet
from tests.cli.running import HEIGHT, WIDTH, pixels, run


def test_compare_writes_every_result_a_sheet_and_a_table(folder: Path) -> None:
    out = folder / "compared"
    names = ("ns", "telea")
    chosen = [part for name in names for part in ("-m", name)]
    assert run("compare", folder / "photo.png", folder / "mask.png", "-o", out, *chosen, "--hide-and-seek") == 0
    known = pixels(folder / "mask.png") == 0
    for name in names:
        assert np.array_equal(pixels(out / f"{name}.png")[known], pixels(folder / "photo.png")[known])
    rows = list(csv.DictReader((out / "results.csv").open(encoding="utf-8")))
    assert [row["method"] for row in rows] == list(names)
    truth, filled = pixels(folder / "photo.png")[~known] / 255, pixels(out / "ns.png")[~known] / 255
    assert float(rows[0]["hole_l1"]) == pytest.approx(np.abs(truth - filled).mean(), rel=1e-4)
    assert np.ptp(pixels(out / "sheet.png")) > 200


def test_compare_without_a_reference_has_no_metrics(folder: Path) -> None:
    assert run("compare", folder / "photo.png", folder / "mask.png", "-o", folder / "out", "-m", "ns") == 0
    assert (folder / "out" / "results.csv").read_text().splitlines()[0] == "method,title,year,seconds,error"


@pytest.mark.parametrize("hole", [(0, 2, 0, 2), (58, 60, 70, 72), (0, 60, 30, 31), (20, 22, 0, 72), (30, 31, 40, 41)])
def test_the_sheet_shows_every_hole_in_the_photos_proportions(hole: tuple[int, int, int, int]) -> None:
    mask = np.zeros((4 * HEIGHT, 4 * WIDTH), bool)
    top, bottom, left, right = (4 * each for each in hole)
    mask[top:bottom, left:right] = True
    rows, columns = sheet.window_around(mask)
    assert mask[rows, columns].sum() == mask.sum()
    shape = mask[rows, columns].shape
    assert shape[0] / shape[1] == pytest.approx(HEIGHT / WIDTH, rel=0.05)
