"""What a sketch is worth: recall of its lines, LPIPS with and without."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from inpaint_core import weights
from inpaint_core.errors import InpaintError
from inpaint_core.networks.deepfill_v2 import DeepFillV2
from train.evaluation import sketch_effect
from train.evaluation.sketch_effect import Config, SketchEffect, effect, main, recall, table_row


def line(row: int) -> np.ndarray:
    """A horizontal line: bool 80 x 120."""
    drawn = np.zeros((80, 120), bool)
    drawn[row, 20:100] = True
    return drawn


def test_recall_is_the_share_of_the_drawn_pixels_with_an_edge_nearby() -> None:
    wanted, found = line(40), line(42)
    assert recall(wanted, found) == 1
    assert recall(wanted, line(43)) == 0
    found[:, 60:] = False
    assert recall(wanted, found) == pytest.approx(0.5, abs=0.03)
    assert recall(wanted, np.zeros_like(wanted)) == 0
    with pytest.raises(ValueError, match="no edges"):
        recall(np.zeros_like(wanted), found)


def test_the_row_of_the_table_holds_ratios_of_means() -> None:
    effects = [SketchEffect((0.2, 0.1), (0.2, 0.8)), SketchEffect((0.4, 0.2), (0.4, 0.6))]
    assert table_row("faces", effects) == ["faces", "2", "0.3000", "0.1500", "0.500", "0.300", "0.700"]


def test_a_fill_that_follows_the_lines_has_a_higher_recall(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The detector's stand-in finds steps of brightness."""

    def steps(pixels: np.ndarray) -> np.ndarray:
        return np.abs(np.diff(pixels[..., 0].astype(int), axis=0, prepend=pixels[:1, :, 0])) > 20

    monkeypatch.setattr(sketch_effect, "thin_edges", steps)
    pixels = np.full((64, 64, 3), 120, np.uint8)
    hole, lines = np.zeros((64, 64), bool), np.zeros((64, 64), bool)
    hole[16:48, 16:48] = True
    lines[32, 18:46] = True
    follows = pixels.copy()
    follows[32:48, 18:46] = 200
    figures = effect(pixels, hole, lines, (pixels, follows))
    assert figures.recall == (0, 1)
    assert figures.lpips[0] == 0
    assert figures.lpips[1] > 0


@pytest.fixture
def untrained(tmp_path: Path) -> Path:
    """A folder with an untrained DeepFill v2."""
    arguments = {"in_channels": 6, "width": 4}
    about = {"command": "", "data": "", "steps": 0, "images_seen": 0, "metrics": {}, "licence": "MIT"}
    weights.save("deepfill_v2", DeepFillV2(**arguments).state_dict(), arguments, tmp_path / "weights", **about)
    return tmp_path / "weights"


def test_the_command_prints_a_row_and_draws_a_sheet(
    shared: Path, three: Path, untrained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sheet = tmp_path / "sheet.png"
    main(Config(photos=(three,), weights=untrained, masks="centre", sheet=sheet))
    heads, _, row = capsys.readouterr().out.splitlines()
    assert heads.startswith("| photos | n | LPIPS without |")
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[0] == three.name
    assert 1 <= int(cells[1]) <= 3, "photos with edges in the hole"
    assert float(cells[4]) == pytest.approx(float(cells[3]) / float(cells[2]), abs=0.01)
    assert sheet.exists()


def test_absent_weights_and_holes_without_edges_are_refused(
    shared: Path, three: Path, untrained: Path, tmp_path: Path
) -> None:
    with pytest.raises(InpaintError, match="no sound weights"):
        main(Config(photos=(three,), weights=tmp_path))
    with pytest.raises(InpaintError, match="No photo has edges"):
        main(Config(photos=(three,), weights=untrained, limit=0))
