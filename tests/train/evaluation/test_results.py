"""The page of results, the contact sheets and the speed of training: that what they show was measured."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.section import Section
from inpaint_core.errors import InpaintError
from train.evaluation import contact_sheet, report, reported, results
from train.evaluation.evaluate import spread


def fills(kinds: list[str], methods: dict[str, float]) -> list[report.Fill]:
    """Eight photos a kind, each method's errors a given share of Navier-Stokes'."""
    found = []
    for kind in kinds:
        for number in range(8):
            ratio = 0.25 if kind == "centre" else 0.05 + 0.05 * number
            for method, share in methods.items():
                value = share * (0.1 + 0.01 * number)
                names = ("l1", "l2", "tv", "ssim", "lpips", "hole_l1", "hole_l2", "hole_ssim", "hole_lpips")
                values = {**dict.fromkeys(names, value), "psnr": 20.0, "hole_psnr": 14.0}
                found.append(report.Fill(f"{number}.png", kind, ratio, method, 0.1, values))
    return found


def test_the_page_has_both_tables_with_shares_and_intervals_by_hole_ratio() -> None:
    methods = {"ns": 1.0, "telea": 1.1, "deepfill_v1_mosaic": 0.5}
    speeds = Section("", ("script", "images/s"), [("glcic", "7.0")], note="A note.")
    text = results.page(
        fills(["centre"], methods),
        fills(["box", "free_form"], methods),
        {"animals": (8, 450), "scenes": (8, 8)},
        ["pixel_rnn"],
        speeds,
    )
    assert "8 photos, evenly spread over the 450 there are." in text
    assert "Left out because they are slow: pixel_rnn." in text
    assert "| deepfill_v1_mosaic † |" in text
    assert "1.10 [1.10, 1.10]" in text
    assert "10% to 20% (2)" in text
    assert reported.ANIMALS.title in text
    assert reported.PLACES.title in text
    assert "| glcic | 7.0 |" in text
    for line in text.splitlines():
        assert "nan" not in line
    alone, counts = {"ns": 1.0}, {"animals": (8, 8), "scenes": (8, 8)}
    without = results.page(fills(["centre"], alone), fills(["box", "free_form"], alone), counts, [], None)
    assert "Training speed" not in without
    assert "†" not in without


def test_one_command_measures_and_writes_the_page(shared: Path, photos: Path, tmp_path: Path) -> None:
    page = tmp_path / "docs" / "RESULTS.md"
    options = {"method": ["telea"], "animals_limit": 2, "scenes_limit": 3, "training": False, "size": 64}
    results.main(animals=[photos], scenes=[photos], write=page, **options)
    text = page.read_text()
    assert "Here: 2 photos, evenly spread over the 6 there are." in text
    assert "| telea |" in text
    with pytest.raises(InpaintError, match="photoshop"):
        results.main(animals=[photos], scenes=[photos], write=page, method=["photoshop"])


def test_slow_methods_are_left_out_and_named() -> None:
    quick, slow = results.quick_methods(None, 0.5)
    assert quick[0] == "ns"
    assert "patchmatch" in slow
    assert results.quick_methods(["patchmatch"], 0.5) == (["ns", "patchmatch"], [])


def test_photos_are_spread_over_all_there_are() -> None:
    items = [(str(number), np.zeros((1, 1, 3), np.uint8)) for number in range(10)]
    assert [name for name, _ in spread(items, 4)] == ["0", "3", "6", "9"]
    assert spread(items, None) == spread(items, 99) == items


def test_a_contact_sheet_has_a_cell_for_every_photo_and_method(photos: Path, tmp_path: Path) -> None:
    contact_sheet.main(
        photos_from=[photos], out=tmp_path, method=["telea"], kind=["centre"], count=5, on_a_sheet=3, size=64, cell=48
    )
    sizes = [Image.open(tmp_path / f"centre_{number}.png").size for number in (1, 2)]
    assert not (tmp_path / "centre_3.png").exists()
    width = 4 + 3 * (48 + 4)
    assert sizes == [(width, 20 + rows * (48 + 16 + 4)) for rows in (3, 2)]
    sheet = np.asarray(Image.open(tmp_path / "centre_1.png").convert("RGB"))
    hole, filled, truth = (sheet[20 : 20 + 48, 4 + 52 * column :][:, :48] for column in range(3))
    assert np.abs(hole[24, 24].astype(int) - (255, 45, 85)).max() < 8
    border = np.ones((48, 48), bool)
    border[8:40, 8:40] = False
    assert np.abs(filled[border].astype(int) - truth[border]).max() <= 2
    assert not np.array_equal(filled[16:32, 16:32], truth[16:32, 16:32])
    with pytest.raises(InpaintError, match="one photo"):
        contact_sheet.main(photos_from=[photos], out=tmp_path, count=0)


def test_labels_too_long_for_their_column_are_set_smaller_and_stay_inside() -> None:
    cells = [np.full((32, 32, 3), 250, np.uint8)] * 2
    short, long = (
        np.asarray(contact_sheet.draw([("a", cells)], [label, ""], 64))[:18] for label in ("ns", "a_very_long_name")
    )
    for sheet in (short, long):
        assert sheet[:, :66].min() < 120
        assert sheet[:, 74:].min() > 200
