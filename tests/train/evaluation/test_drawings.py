"""The drawings are on photos that must be there, and each has lines in its hole."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from inpaint_core.errors import InpaintError
from train.evaluation.drawings import DRAWINGS, SIDE, Config, main


@pytest.mark.parametrize("drawing", DRAWINGS, ids=lambda drawing: drawing.what)
def test_every_line_crosses_its_hole_and_the_hole_lies_in_the_photo(drawing) -> None:
    left, top, right, bottom = drawing.box
    assert 0 <= left < right <= SIDE
    assert 0 <= top < bottom <= SIDE
    for points in drawing.lines:
        canvas = np.zeros((SIDE, SIDE), np.uint8)
        cv2.polylines(canvas, [np.array(points, np.int32)], False, 1)
        assert canvas[top:bottom, left:right].sum() >= 0.8 * canvas.sum()


def test_other_photos_are_refused_with_the_names_that_are_missing(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "beach.png"), np.zeros((SIDE, SIDE, 3), np.uint8))
    with pytest.raises(InpaintError, match="000008"):
        main(Config(photos=(tmp_path,), out=tmp_path / "sheets", number=(1,)))


def test_a_number_that_no_drawing_has_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InpaintError, match="1 to 20"):
        main(Config(photos=(tmp_path,), out=tmp_path / "sheets", number=(21,)))
