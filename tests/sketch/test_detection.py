"""Soft maps become lines, and the detector says when it has no weights."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import distance_transform_edt

from inpaint_core import InpaintError, methods, sketch
from tests.sketch.detector import save_untrained
from tests.sketch.strokes import TRUTH, far, same_line


def soft_map() -> np.ndarray:
    """The bent line as a detector would see it: wide and soft, 1 on its crest."""
    return np.exp(-0.5 * (distance_transform_edt(~TRUTH) / 2.5) ** 2).astype(np.float32)


def test_thin_lines_run_along_the_crests_of_the_soft_map() -> None:
    lines = sketch.thin(soft_map())
    assert lines.dtype == bool
    assert same_line(lines, 3.5)
    assert lines.sum() <= 1.3 * TRUTH.sum()  # one pixel wide


def test_ridges_keep_the_maps_values_and_nothing_beside_the_crest() -> None:
    soft = soft_map()
    found = sketch.ridges(soft)
    kept = found > 0
    assert np.array_equal(found[kept], soft[kept])
    strong = found > 0.5
    assert far(strong, TRUTH) <= 3
    assert np.mean(distance_transform_edt(~TRUTH)[strong] > 1) < 0.1


def test_a_higher_threshold_draws_fewer_lines_and_weak_lines_follow_strong_ones() -> None:
    soft = soft_map() * np.linspace(0.3, 1, 200, dtype=np.float32)
    counts = [int(sketch.thin(soft, threshold).sum()) for threshold in (0.3, 0.6, 0.9)]
    assert counts[0] > counts[1] > counts[2] > 0
    assert sketch.thin(soft, 0.6, weak=0.6).sum() > sketch.thin(soft, 0.6, weak=1.0).sum()


def test_a_flat_map_has_no_lines() -> None:
    assert not sketch.thin(np.zeros((30, 40), np.float32)).any()
    assert not sketch.thin(np.full((30, 40), 0.9, np.float32)).any()


@pytest.fixture
def detector(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkpoint folder with an untrained detector."""
    monkeypatch.setenv("INPAINT_CHECKPOINTS", str(tmp_path))
    return save_untrained(tmp_path)


def test_edges_are_a_map_of_the_photos_size_between_0_and_1(detector: Path) -> None:
    image = np.random.default_rng(0).integers(0, 255, (70, 90, 3), np.uint8)
    soft = sketch.edges(image, "cpu")
    assert soft.shape == (70, 90)
    assert soft.dtype == np.float32
    assert soft.min() >= 0
    assert soft.max() <= 1
    assert np.array_equal(soft, sketch.edges(Image.fromarray(image), "cpu"))


def test_a_large_photo_gets_a_map_of_its_own_size(detector: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inpaint_core.sketch.detection.MAX_PIXELS", 64 * 64)
    assert sketch.edges(np.zeros((150, 203, 3), np.uint8), "cpu").shape == (150, 203)


def test_the_detector_is_no_method_that_fills(detector: Path) -> None:
    assert sketch.ready()
    assert sketch.DETECTOR not in [method.name for method in methods()]


def test_without_weights_the_error_says_how_to_train_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INPAINT_CHECKPOINTS", str(tmp_path))
    assert not sketch.ready()
    with pytest.raises(InpaintError, match=r"train\.edge_detection"):
        sketch.edges(np.zeros((8, 8, 3), np.uint8), "cpu")


def test_what_is_no_photo_is_refused(detector: Path) -> None:
    with pytest.raises(InpaintError, match="uint8"):
        sketch.edges(np.zeros((8, 8, 3), np.float32), "cpu")


def test_importing_sketch_does_not_import_torch() -> None:
    code = "import sys, inpaint_core.sketch; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
