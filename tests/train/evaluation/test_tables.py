"""Markdown tables of measured fills, alone and beside the reported ones."""

from __future__ import annotations

import math

from tests.train.evaluation.conftest import MakeRecords
from train.evaluation import reported
from train.evaluation.records import FillRecord
from train.evaluation.tables import all_metrics, markdown_table, mean_column, methods_table, report


def test_a_markdown_table_has_a_line_of_heads_a_rule_and_the_rows() -> None:
    assert markdown_table(["a", "b"], [["1", "2"]]).splitlines() == ["| a | b |", "|---|---|", "| 1 | 2 |"]


def test_every_method_has_a_row_with_ratios_to_navier_stokes(make_records: MakeRecords) -> None:
    records = [*make_records("ns", [0.1, 0.2, 0.3]), *make_records("telea", [0.2, 0.4, 0.6])]
    heads, _, ns, telea = methods_table(records, all_metrics(records, "hole_")).splitlines()
    assert "| L1 / ns | LPIPS / ns | seconds |" in heads
    assert ns.startswith("| ns | 3 | 0.2000 [")
    assert telea.endswith("| 2.000 [2.000, 2.000] | 2.000 [2.000, 2.000] | 0.200 |")


def test_a_figure_that_no_fill_has_is_an_empty_cell(make_records: MakeRecords) -> None:
    table = methods_table(make_records("ns", [math.nan]), [mean_column("hole_lattice", 2, "lattice")])
    assert table.splitlines()[-1] == "| ns |  |"


def test_the_report_has_every_set_of_masks_over_hole_and_photo_and_by_hole_ratio(make_records: MakeRecords) -> None:
    boxes = make_records("ns", [0.1, 0.2], [0.05, 0.15], masks="box")
    text = report([*boxes, *make_records("ns", [0.1], masks="centre")], "Photos")
    for heading in ("box masks, over the hole", "box masks, over the photo", "centre masks, over the hole"):
        assert f"## {heading}" in text
    assert "### box masks, hole of 10% to 20%, over the hole" in text
    assert "### centre" not in text


def test_a_reported_table_stands_beside_ours_in_its_units() -> None:
    values = {"l1": 0.04, "l2": 0.01, "psnr": 20.0, "lpips": 0.1, "tv": 0.05}
    text = reported.beside([FillRecord("a", "centre", 0.25, "ns", 0.1, values)], reported.ANIMALS)
    assert "| ns | 10.20 | 9.68 | 650.25 | 810.47 | 20.00 | 19.61 | 0.100 | 0.164 | 5.00 | 8.14 |" in text
    assert "| glcic |  | 9.25 |" in text


def test_every_reported_row_has_a_number_for_every_column() -> None:
    assert set(reported.TABLES) == {"animals", "places"}
    for table in reported.TABLES.values():
        for row in (*table.rows.values(), *table.others.values()):
            assert len(row) == len(table.columns)
