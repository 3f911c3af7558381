"""The command that measures: its files, and what it refuses."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inpaint_core.errors import InpaintError
from train.core.cli import run_cli
from train.evaluation import measure
from train.evaluation.by_share import MASK_SETS
from train.evaluation.measure import Config, main
from train.evaluation.records import by_method, read_csv


def test_two_methods_and_two_sets_of_masks_give_records_report_plot_and_sheets(
    three: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    masks = ("centre", "irregular")
    main(Config(photos=(three,), out=tmp_path, method=("telea",), masks=masks, size=64, sheet=2, lpips=False))
    records = read_csv(tmp_path / "fills.csv")
    assert len(records) == 3 * 2 * 2
    assert list(by_method(records)) == ["ns", "telea"], "Navier-Stokes is always measured"
    assert {record.ratio for record in records if record.masks == "centre"} == {0.25}
    for record in records:
        assert record.metrics["hole_l1"] * record.ratio == pytest.approx(record.metrics["l1"], rel=1e-3)
        assert record.seconds > 0
        if record.masks == "centre":
            assert 0 < record.metrics["hole_lattice"] < math.inf
    text = (tmp_path / "report.md").read_text()
    assert text in capsys.readouterr().out
    assert "## centre masks, over the hole" in text
    assert "| telea | 3 |" in text
    assert Image.open(tmp_path / "sheet_centre.png").width == 4 + 4 * 68, "small photos are shown as they are"
    assert (tmp_path / "irregular.png").stat().st_size > 5000
    assert not (tmp_path / "centre.png").exists(), "one hole ratio alone makes no plot"


def test_figures_by_share_are_those_of_ten_sets_of_masks(shared: Path, three: Path, tmp_path: Path) -> None:
    main(Config(photos=(three,), out=tmp_path, method=("telea",), by_share=True, size=32, limit=2))
    with (tmp_path / "by_share.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["masks"], row["method"]) for row in rows] == [(m, w) for m in MASK_SETS for w in ("ns", "telea")]
    ratios = [float(row["hole_ratio"]) for row in rows]
    assert ratios == sorted(ratios)
    assert all(float(row["lpips"]) > 0 for row in rows)
    assert "LPIPS / ns" in (tmp_path / "report.md").read_text()
    assert (tmp_path / "by_share.png").exists()


def test_a_reported_table_stands_in_the_report(three: Path, tmp_path: Path) -> None:
    main(Config(photos=(three,), out=tmp_path, method=("telea",), table="places", size=32, limit=1, lpips=False))
    assert {record.masks for record in read_csv(tmp_path / "fills.csv")} == {"box", "free_form"}
    assert "DeepFill v2's table" in (tmp_path / "report.md").read_text()


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"masks": ("stars",)}, "stars"),
        ({"method": ("photoshop",)}, "photoshop"),
        ({"limit": 0}, "no photos"),
        ({"by_share": True}, "--no-lpips"),
    ],
)
def test_what_cannot_be_measured_is_refused(three: Path, tmp_path: Path, options: dict[str, object], word: str) -> None:
    with pytest.raises(InpaintError, match=word):
        main(Config(**{"photos": (three,), "out": tmp_path, "method": ("telea",), "lpips": False, **options}))
    assert not list(tmp_path.iterdir())


def test_the_command_line_takes_repeated_options_and_ends_with_status_2_where_photos_are_absent(
    three: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["measure", "--photos", str(three), "--out", str(tmp_path), "--method", "telea", "--size", "32"]
    monkeypatch.setattr("sys.argv", [*words, "--masks", "centre", "--masks", "box", "--limit", "1", "--no-lpips"])
    run_cli(main, Config)
    assert len(read_csv(tmp_path / "fills.csv")) == 4
    monkeypatch.setattr(
        "sys.argv", ["measure", "--photos", str(tmp_path / "none"), "--out", str(tmp_path), "--no-lpips"]
    )
    with pytest.raises(SystemExit) as ended:
        run_cli(main, Config)
    assert ended.value.code == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith("nothing is there by the name")


def test_the_lattice_of_a_completed_photo_is_measured_in_its_hole() -> None:
    generator = np.random.default_rng(0)
    pixels = generator.integers(100, 150, (64, 64, 3), dtype=np.uint8)
    dotted = pixels.copy()
    dotted[::4, ::4] += 60
    hole = np.ones((64, 64), bool)
    assert measure.lattice_of(dotted, hole) > 5 * measure.lattice_of(pixels, hole)
