"""The protocol of BSDS500: thin lines matched one to one within a tolerance, one threshold for all or one a photo."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import distance_transform_edt
from scipy.optimize import linear_sum_assignment

from inpaint_core.networks.edge_detector import EdgeDetector
from train.edge_detection import evaluate as evaluate_edges


def line(row: int, shape: tuple[int, int] = (120, 160)) -> np.ndarray:
    found = np.zeros(shape, bool)
    found[row, 10:150] = True
    return found


def soft(lines: np.ndarray) -> np.ndarray:
    return np.exp(-0.5 * (distance_transform_edt(~lines) / 2) ** 2).astype(np.float32)


def test_a_perfect_map_scores_one() -> None:
    scores = evaluate_edges.evaluate([(soft(line(40)), line(40)[None])], 9)
    assert scores.ods > 0.98
    assert scores.ois > 0.98


def test_lines_within_the_tolerance_count_and_beyond_it_do_not() -> None:
    """0.0075 of the diagonal of 120 x 160 is 1.5 pixels."""
    near = evaluate_edges.evaluate([(soft(line(41)), line(40)[None])], 9)
    far = evaluate_edges.evaluate([(soft(line(43)), line(40)[None])], 9)
    assert near.ods > 0.98
    assert far.ods < 0.1


def test_no_pixel_is_matched_twice() -> None:
    """Two parallel lines within the tolerance of one that was drawn: only one of them is right."""
    drawn = np.zeros((120, 160), bool)
    drawn[40] = True
    these = np.argwhere(np.roll(drawn, 1, 0) | np.roll(drawn, -1, 0))
    near = evaluate_edges.pairs(these, np.argwhere(drawn), 1.5)
    assert evaluate_edges.match(near, 320, 160).sum() == 160


def test_the_matching_is_as_large_as_an_assignment_finds() -> None:
    random = np.random.default_rng(0)
    for _ in range(5):
        these, those = (np.unique(random.integers(0, 25, (60, 2)), axis=0) for _ in range(2))
        close = np.linalg.norm(these[:, None] - those[None], axis=2) <= 2.0
        near = evaluate_edges.pairs(these, those, 2.0)
        assert np.array_equal(np.unique(near, axis=0), np.argwhere(close))
        rows, columns = linear_sum_assignment(close, maximize=True)
        assert evaluate_edges.match(near, len(these), len(those)).sum() == close[rows, columns].sum()


def test_precision_forgives_what_one_annotator_drew_and_recall_asks_for_all_of_it() -> None:
    drawings = np.stack([line(40), line(80)])
    counts = evaluate_edges.count(soft(line(40)), drawings, np.array([0.5]))
    assert counts.precision()[0] > 0.97
    assert abs(counts.recall()[0] - 0.5) < 0.01


def test_one_threshold_for_all_photos_is_never_better_than_each_ones_own() -> None:
    maps = [
        (0.3 * soft(line(40)) + 0.25 * soft(line(90)), line(40)[None]),
        (soft(line(40)) + 0 * line(9), line(40)[None]),
    ]
    maps[1] = (np.maximum(maps[1][0], 0.6 * soft(line(90))), line(40)[None])
    scores = evaluate_edges.evaluate(maps, 19)
    assert scores.ois > scores.ods + 0.05
    with pytest.raises(ValueError, match="no maps"):
        evaluate_edges.evaluate([])


def test_the_gradient_finds_a_step_and_nothing_on_a_plain(data: Path) -> None:
    photo = np.zeros((60, 80, 3), np.uint8)
    photo[:, 40:] = 200
    for detect in (evaluate_edges.gradient, evaluate_edges.canny):
        found = detect(photo)
        assert found[:, 38:42].max() > 0.5
        assert found[:, :20].max() == 0
    detected = evaluate_edges.detect(EdgeDetector().eval(), photo)
    assert detected.shape == (60, 80)


def test_the_command_prints_a_table_and_draws_a_sheet(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = tmp_path / "sheet.png"
    options = {"photos": (data / "drawn",), "detector": ("gradient", "canny"), "limit": 4, "thresholds": 5}
    evaluate_edges.main(evaluate_edges.Config(**options, sheet=picture))  # type: ignore[arg-type]
    rows = [row.split("|")[1].strip() for row in capsys.readouterr().out.splitlines()]
    assert rows == ["detector", "---", "gradient", "canny"]
    width, height = Image.open(picture).size
    assert width >= 6 * 240, "photo, drawings, two detectors' maps and lines"
    assert height >= 4 * 240, "four photos"
