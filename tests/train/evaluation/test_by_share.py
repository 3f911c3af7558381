"""Figures by the share of the photo that is missing: ten sets of masks, a CSV and a plot."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.train.evaluation.conftest import MakeRecords
from train.evaluation.by_share import MASK_SETS, share_figures, write_by_share
from train.evaluation.photos import mask_for


def test_ten_sets_of_masks_grow_from_1_to_60_per_cent() -> None:
    assert len(MASK_SETS) == 10
    assert (MASK_SETS[0], MASK_SETS[-1]) == ("irregular@1-10", "irregular@50-60")
    shares = [np.mean([mask_for(f"{n}.png", masks, 64, 64).mean() for n in range(8)]) for masks in MASK_SETS]
    assert shares == sorted(shares)


def test_every_method_has_a_figure_and_an_interval_for_every_share(make_records: MakeRecords, tmp_path: Path) -> None:
    records = make_records("ns", [9.0] * 4, masks="centre")
    for index, masks in enumerate(MASK_SETS):
        values = [0.1, 0.2, 0.3, 0.4]
        records += make_records("ns", values, [0.05 * (index + 1)] * 4, masks)
        records += make_records("half", [0.04, 0.11, 0.14, 0.21], [0.05 * (index + 1)] * 4, masks)
    figures = share_figures(records)
    assert len(figures) == 2 * len(MASK_SETS), "the centre masks are of no such set"
    for figure in figures:
        assert figure.photos == 4
        if figure.method == "half":
            assert figure.lpips_of_ns.mean == pytest.approx(0.5)
            assert figure.lpips_of_ns.low < 0.5 < figure.lpips_of_ns.high
            assert figure.l1.mean == pytest.approx(0.125)

    write_by_share(figures, tmp_path)
    with (tmp_path / "by_share.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["masks"] for row in rows[::2]] == list(MASK_SETS)
    assert float(rows[1]["lpips_of_ns_low"]) == pytest.approx(figures[1].lpips_of_ns.low)
    assert np.asarray(Image.open(tmp_path / "by_share.png")).std() > 5
