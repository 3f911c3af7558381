"""Photos and masks that come over the network have limits of size, checked before anything is decoded."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inpaint_core import InpaintError, catalogue, predictor
from webui import api, limits, session


@pytest.fixture
def small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "PIXELS", 10_000)
    monkeypatch.setattr(limits, "SIDE", 300)


@pytest.mark.parametrize("size", [(101, 100), (301, 2)])
def test_a_photo_beyond_the_limits_is_refused_wherever_it_comes_in(
    small_limits: None, tmp_path: Path, size: tuple[int, int]
) -> None:
    path = tmp_path / "large.png"
    Image.new("RGB", size).save(path)
    for read in (session.open_photo, limits.read_mask, lambda file: api.inpaint(file, file)):
        with pytest.raises(Exception, match=r"large\.png is .* over the limit"):
            read(path)


@pytest.mark.parametrize("size", [(10_000, 10_000), (50_000_000, 2), (0, 5), (None, 5), (float("nan"), 5)])
def test_a_mask_of_a_size_beyond_the_limits_is_refused(size: tuple[object, object]) -> None:
    with pytest.raises(InpaintError):
        limits.check_size(*size)
    assert limits.check_size(512, 384) == (512, 384)


def test_a_limit_in_the_environment_that_is_no_number_ends_the_start_with_a_sentence() -> None:
    root = Path(__file__).resolve().parents[2]
    environment = {"INPAINT_MAX_MEGAPIXELS": "many", "PYTHONPATH": str(root)}
    done = subprocess.run(
        [sys.executable, "-c", "import webui.limits"], env=environment, capture_output=True, text=True, check=False
    )
    assert done.stderr.splitlines()[-1].endswith("INPAINT_MAX_MEGAPIXELS must be a number from 0.1 to 100, not many.")


def test_a_jpeg_of_hundreds_of_scans_is_refused_and_one_with_a_film_behind_it_is_not() -> None:
    stream = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    Image.fromarray(pixels).save(stream, "JPEG", progressive=True)
    data = stream.getvalue()
    last_scan = data[data.rindex(b"\xff\xda") : -2]
    with pytest.raises(InpaintError, match="scans"):
        limits.photos.read(data[:-2] + 200 * last_scan + data[-2:])
    film = b"\xff\xda" * 1000  # as phones append
    assert limits.photos.read(data + film).pixels.shape == (64, 64, 3)


def test_a_fill_that_would_cost_too_much_is_refused_before_it_begins() -> None:
    dots, stroke = np.zeros((1000, 1000), bool), np.zeros((1000, 1000), bool)
    dots[62::125, 62::125] = True
    stroke[400:500, 400:500] = True
    with pytest.raises(InpaintError, match="choose a quicker method, or paint fewer"):
        limits.check_cost(predictor.estimate(dots, "latent_search"))
    assert limits.check_cost(predictor.estimate(stroke, "latent_search")).slow
    assert not limits.check_cost(predictor.estimate(stroke, "telea")).slow


@pytest.mark.parametrize("method", [method.name for method in catalogue.methods() if method.ready])
def test_an_estimate_is_that_of_the_same_hole_in_a_larger_photo(method: str) -> None:
    hole = np.zeros((600, 600), bool)
    hole[280:320, 280:320] = True
    seconds = predictor.estimate(hole, method)
    assert 0 < seconds < 10
    assert predictor.estimate(np.pad(hole, 200), method) == pytest.approx(seconds, rel=0.35)
