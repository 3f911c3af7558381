"""Contact sheets: a cell for every photo and method."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inpaint_core.errors import InpaintError
from train.evaluation.contact_sheet import Config, Row, draw_sheet, main


def test_a_contact_sheet_has_a_cell_for_every_photo_and_method(photos: Path, tmp_path: Path) -> None:
    main(
        Config(photos=(photos,), out=tmp_path, method=("telea",), masks=("centre",), count=5, rows=3, size=64, cell=48)
    )
    sizes = [Image.open(tmp_path / f"centre_{number}.png").size for number in (1, 2)]
    assert not (tmp_path / "centre_3.png").exists()
    assert sizes == [(4 + 3 * (48 + 4), 20 + rows * (48 + 16 + 4)) for rows in (3, 2)]
    sheet = np.asarray(Image.open(tmp_path / "centre_1.png").convert("RGB"))
    hole, filled, truth = (sheet[20 : 20 + 48, 4 + 52 * column :][:, :48] for column in range(3))
    assert np.abs(hole[24, 24].astype(int) - (255, 45, 85)).max() < 8
    border = np.ones((48, 48), bool)
    border[8:40, 8:40] = False
    assert np.abs(filled[border].astype(int) - truth[border]).max() <= 2
    assert not np.array_equal(filled[16:32, 16:32], truth[16:32, 16:32])


def test_a_sheet_of_nothing_is_refused(photos: Path, tmp_path: Path) -> None:
    with pytest.raises(InpaintError, match="one photo"):
        main(Config(photos=(photos,), out=tmp_path, count=0))


def test_labels_too_long_for_their_column_are_set_smaller_and_stay_inside() -> None:
    row = Row("a", [np.full((32, 32, 3), 250, np.uint8)] * 2)
    short, long = (np.asarray(draw_sheet([row], [label, ""], 64))[:18] for label in ("ns", "a_very_long_name"))
    for sheet in (short, long):
        assert sheet[:, :66].min() < 120
        assert sheet[:, 74:].min() > 200
