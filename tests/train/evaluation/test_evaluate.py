"""The evaluation: the same holes for every method, honest intervals, and tables beside the reported ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inpaint_core.errors import InpaintError
from train.evaluation import report, reported
from train.evaluation.evaluate import choose, fill, main, mask_for, photos, square


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three small photos, one of them not square, and a file that is none."""
    from skimage import data

    folder = tmp_path_factory.mktemp("three")
    cuts = {"astronaut": data.astronaut()[:300, 100:400], "cat": data.chelsea()[:, :280], "coffee": data.coffee()}
    for name, pixels in cuts.items():
        Image.fromarray(pixels).resize((72 if name == "cat" else 64, 64)).save(folder / f"{name}.png")
    (folder / "broken.png").write_bytes(b"no picture")
    return folder


def made(method: str, values: list[float], ratios: list[float] | None = None, kind: str = "box") -> list[report.Fill]:
    """Fills whose L1 in the hole and over the photo are given."""
    return [
        report.Fill(f"{n}", kind, 0.2 if ratios is None else ratios[n], method, 0.1 * (n + 1), {"hole_l1": v, "l1": v})
        for n, v in enumerate(values)
    ]


def test_three_photos_two_methods_two_masks(three: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(
        photos_from=[three],
        out=tmp_path,
        method=["telea"],
        kind=["centre", "irregular"],
        size=64,
        sheets=2,
        lpips=False,
    )
    fills = report.read_csv(tmp_path / "fills.csv")
    assert len(fills) == 3 * 2 * 2
    assert report.unique(f.method for f in fills) == ["ns", "telea"], "Navier-Stokes is always measured"
    assert {f.ratio for f in fills if f.masks == "centre"} == {0.25}
    for each in fills:
        assert each.metrics["hole_l1"] * each.ratio == pytest.approx(each.metrics["l1"], rel=1e-3)
        assert each.seconds > 0
    text = (tmp_path / "report.md").read_text()
    assert text in capsys.readouterr().out
    assert "## centre masks, over the hole" in text
    assert "| telea | 3 |" in text
    width, height = Image.open(tmp_path / "sheet_centre.png").size
    assert (width, height) == (4 * 68, 18 + 2 * 68), "small photos are shown as they are"
    assert (tmp_path / "irregular.png").stat().st_size > 5000
    assert not (tmp_path / "centre.png").exists(), "one hole ratio alone makes no plot"


def test_lpips_is_measured_and_its_share_of_ns_told(shared: Path, three: Path, tmp_path: Path) -> None:
    main(photos_from=[three], out=tmp_path, method=["telea"], kind=["centre"], size=64, limit=2)
    first = report.read_csv(tmp_path / "fills.csv")[0]
    assert first.metrics["lpips"] > 0
    assert "LPIPS / ns" in (tmp_path / "report.md").read_text()


def test_every_method_and_every_run_see_the_same_holes() -> None:
    first = mask_for("a.png", "free_form", 64, 64)
    assert np.array_equal(first, mask_for("a.png", "free_form", 64, 64))
    assert not np.array_equal(first, mask_for("b.png", "free_form", 64, 64))
    assert not np.array_equal(first, mask_for("a.png", "free_form", 64, 64, seed=1))


def test_photos_are_central_squares_or_whole_and_broken_ones_are_named(
    three: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = dict(photos([three], 32, None))
    assert [each.shape for each in found.values()] == [(32, 32, 3)] * 3
    assert "broken.png cannot be read" in capsys.readouterr().err
    assert dict(photos([three], 0, None))["cat.png"].shape == (64, 72, 3)
    assert len(list(photos([three], 32, 2))) == 2
    wide = np.zeros((4, 8, 3), np.uint8)
    wide[:, 2:6] = 255
    assert square(wide, 4).min() == 255


def test_the_interval_of_a_mean_covers_it_and_shrinks_with_more_photos() -> None:
    dice = np.random.default_rng(1)
    few, many = (report.bootstrap(dice.normal(3, 1, (1, count))) for count in (20, 2000))
    alone = report.bootstrap(np.array([[3.0]]))
    assert f"{alone:.1f}" == "3.0", "one photo has no interval"
    for each in (few, many):
        assert each.low < each.mean < each.high
    assert many.high - many.low < (few.high - few.low) / 5
    assert many.high - many.low == pytest.approx(2 * 1.96 / 2000**0.5, rel=0.1)


def test_shares_compare_the_same_photos_only_and_know_that_they_go_together() -> None:
    hard_and_easy = [0.01, 0.5, 0.02, 0.4, 0.03, 0.3]
    ns, half = made("ns", hard_and_easy), made("half", [value / 2 for value in hard_and_easy])
    share = report.share_of(half, ns, "hole_l1")
    assert (share.mean, share.low, share.high) == pytest.approx((0.5, 0.5, 0.5))
    assert report.share_of(half[:2], ns, "hole_l1").mean == pytest.approx(0.5)


def test_groups_by_hole_ratio_hold_every_fill_once() -> None:
    fills = made("ns", [1.0] * 5, [0.05, 0.1, 0.15, 0.35, 0.7])
    groups = report.by_ratio(fills)
    assert {name: len(group) for name, group in groups.items()} == {
        "0% to 10%": 2,
        "10% to 20%": 1,
        "30% to 40%": 1,
        "60% to 100%": 1,
    }


def test_a_reported_table_stands_beside_ours_in_its_units() -> None:
    values = {"l1": 0.04, "l2": 0.01, "psnr": 20.0, "lpips": 0.1, "tv": 0.05}
    fills = [report.Fill("a", "centre", 0.25, "ns", 0.1, values)]
    text = reported.beside(fills, reported.ANIMALS)
    assert "| ns | 10.20 | 9.68 | 650.25 | 810.47 | 20.00 | 19.61 | 0.100 | 0.164 | 5.00 | 8.14 |" in text
    assert "| glcic |  | 9.25 |" in text
    for table in reported.TABLES.values():
        for row in (*table.rows.values(), *table.others.values()):
            assert len(row) == len(table.columns)


def test_a_method_without_weights_and_an_unknown_table_are_refused(
    three: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INPAINT_CHECKPOINTS", str(tmp_path / "none"))
    for name in ("glcic", "deepfill_v1_mosaic", "magic", "telea+edges", "deepfill_v2+edges"):
        with pytest.raises(InpaintError):
            choose([name])
    with pytest.raises(InpaintError, match="animals, places"):
        main(photos_from=[three], out=tmp_path, table="birds")
    assert "glcic" not in choose(None)


def test_edges_are_drawn_in_for_the_methods_that_follow_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An untrained network: the sketch must change the fill and nothing else."""
    from inpaint_core import weights
    from inpaint_core.networks.deepfill_v2 import DeepFillV2

    arguments = {"in_channels": 6, "width": 4}
    about = {"command": "", "data": "", "steps": 0, "images_seen": 0, "metrics": {}, "licence": "MIT"}
    weights.save("deepfill_v2", DeepFillV2(**arguments).state_dict(), arguments, tmp_path, **about)
    monkeypatch.setenv("INPAINT_CHECKPOINTS", str(tmp_path))
    image = np.kron(np.random.default_rng(0).integers(0, 255, (8, 8, 3)), np.ones((8, 8, 1))).astype(np.uint8)
    hole = np.zeros((64, 64), bool)
    hole[16:48, 16:48] = True
    assert choose(["deepfill_v2+edges"]) == ["ns", "deepfill_v2+edges"]
    plain, sketched = (fill(image, hole, name, "cpu")[0] for name in ("deepfill_v2", "deepfill_v2+edges"))
    assert not np.array_equal(plain[hole], sketched[hole])
    assert np.array_equal(plain[~hole], sketched[~hole])
