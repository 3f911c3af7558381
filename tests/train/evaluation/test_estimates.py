"""Means, ratios, their intervals, and the groups and files of records."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from tests.train.evaluation.conftest import MakeRecords
from train.evaluation.estimates import bootstrap, mean_of, ratio_to
from train.evaluation.records import by_hole_ratio, read_csv, write_csv


def test_the_interval_of_a_mean_covers_it_and_shrinks_with_more_photos() -> None:
    generator = np.random.default_rng(1)
    few, many = (bootstrap(generator.normal(3, 1, (1, count))) for count in (20, 2000))
    for each in (few, many):
        assert each.low < each.mean < each.high
    assert many.high - many.low < (few.high - few.low) / 5
    assert many.high - many.low == pytest.approx(2 * 1.96 / 2000**0.5, rel=0.1)


def test_one_photo_has_no_interval_and_none_has_no_mean() -> None:
    assert f"{bootstrap(np.array([[3.0]])):.1f}" == "3.0"
    assert f"{bootstrap(np.zeros((1, 0))):.1f}" == ""


def test_fills_without_a_figure_do_not_count(make_records: MakeRecords) -> None:
    records = make_records("ns", [1.0, 3.0, math.nan])
    assert mean_of(records, "hole_lattice").mean == 2


def test_ratios_compare_the_same_photos_only_and_resample_them_together(make_records: MakeRecords) -> None:
    hard_and_easy = [0.01, 0.5, 0.02, 0.4, 0.03, 0.3]
    ns, half = make_records("ns", hard_and_easy), make_records("half", [value / 2 for value in hard_and_easy])
    ratio = ratio_to(half, ns, "hole_l1")
    assert (ratio.mean, ratio.low, ratio.high) == pytest.approx((0.5, 0.5, 0.5))
    assert ratio_to(half[:2], ns, "hole_l1").mean == pytest.approx(0.5)


def test_groups_by_hole_ratio_hold_every_fill_once(make_records: MakeRecords) -> None:
    groups = by_hole_ratio(make_records("ns", [1.0] * 5, [0.05, 0.1, 0.15, 0.35, 0.7]))
    assert {name: len(group) for name, group in groups.items()} == {
        "0% to 10%": 2,
        "10% to 20%": 1,
        "30% to 40%": 1,
        "60% to 100%": 1,
    }


def test_records_survive_a_file(make_records: MakeRecords, tmp_path: Path) -> None:
    records = [*make_records("ns", [0.1, 0.25]), *make_records("telea", [1 / 3])]
    write_csv(tmp_path / "fills.csv", records)
    assert read_csv(tmp_path / "fills.csv") == records
